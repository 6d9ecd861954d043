{#
    An aggregate: the rows of a relation as a JSON array of objects.

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
