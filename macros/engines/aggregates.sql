{#
    An aggregate that joins the texts of a group.

    In:  joined('cast(compound_id as text)', ';', 'compound_id')        Out: for 3 and 1 it is '1;3'

    Arguments: text, an expression (nulls are skipped); separator, the text between two items; ordering, an expression.
    Without an ordering, the order is arbitrary, and Postgres can aggregate in parallel.
#}
{% macro joined(text, separator, ordering=none) -%}
    {{ return(adapter.dispatch('joined')(text, separator, ordering)) }}
{%- endmacro %}

{% macro default__joined(text, separator, ordering) -%}
string_agg({{ text }}, '{{ separator }}'{{ ' order by ' ~ ordering if ordering }})
{%- endmacro %}

{% macro spark__joined(text, separator, ordering) -%}
listagg({{ text }}, '{{ separator }}'){{ ' within group (order by ' ~ ordering ~ ')' if ordering }}
{%- endmacro %}

{#
    An aggregate that returns the rows of a relation as a JSON array of objects.

    In:  rows_as_json('files', 'file')      Out: [{"file": "users.csv", "rows_read": 10}, ...]

    Arguments: relation, the alias of the relation; ordering, one of its columns.
#}
{% macro rows_as_json(relation, ordering) -%}
    {{ return(adapter.dispatch('rows_as_json')(relation, ordering)) }}
{%- endmacro %}

{% macro postgres__rows_as_json(relation, ordering) -%}
jsonb_agg(to_jsonb({{ relation }}) order by {{ relation }}.{{ ordering }})
{%- endmacro %}

{% macro duckdb__rows_as_json(relation, ordering) -%}
to_json(list({{ relation }} order by {{ relation }}.{{ ordering }}))
{%- endmacro %}

{% macro spark__rows_as_json(relation, ordering) -%}
to_json(sort_array(collect_list(struct({{ relation }}.*))))
{%- endmacro %}
