{#
    A list literal, from a Jinja list.

    In:  list_literal([1, none])      Out: array[1, null]

    Arguments: items, a list of numbers and nones.
#}
{% macro list_literal(items) -%}
    {%- set texts = [] -%}
    {%- for item in items -%}
        {%- do texts.append('null' if item is none else item | string) -%}
    {%- endfor -%}
    {{ return(adapter.dispatch('list_literal')(texts | join(', '))) }}
{%- endmacro %}

{% macro default__list_literal(items) -%}
array[{{ items }}]
{%- endmacro %}

{% macro spark__list_literal(items) -%}
array({{ items }})
{%- endmacro %}

{#
    The number of items in a list.

    In:  list_size('cells')      Out: cardinality(cells)
#}
{% macro list_size(list) -%}
    {{ return(adapter.dispatch('list_size')(list)) }}
{%- endmacro %}

{% macro default__list_size(list) -%}
cardinality({{ list }})
{%- endmacro %}

{% macro duckdb__list_size(list) -%}
len({{ list }})
{%- endmacro %}

{#
    The number of nulls in a list.

    In:  count_nulls('compound_ids')      Out: for the list {1,null,3} it is 1
#}
{% macro count_nulls(list) -%}
    {{ return(adapter.dispatch('count_nulls')(list)) }}
{%- endmacro %}

{% macro postgres__count_nulls(list) -%}
cardinality(array_positions({{ list }}, null))
{%- endmacro %}

{% macro duckdb__count_nulls(list) -%}
(len({{ list }}) - list_count({{ list }}))
{%- endmacro %}

{% macro spark__count_nulls(list) -%}
(cardinality({{ list }}) - cardinality(array_compact({{ list }})))
{%- endmacro %}

{#
    A row source for the distinct items of a list, for use after `cross join`; nulls are skipped.

    In:  cross join {{ unnest_distinct('compound_ids', 'listed', 'compound_id') }}
    Out: for the list {3,1,null,3} the rows 3 and 1

    Arguments: list, an expression; alias, the name of the row source; item, the name of its column.
#}
{% macro unnest_distinct(list, alias, item) -%}
    {{ return(adapter.dispatch('unnest_distinct')(list, alias, item)) }}
{%- endmacro %}

{#
    Keeps the first occurrence of each item, for which short lists need no sort. That would compare each item with all before
    it, so a list of more than 100 items is sorted instead, by the only function that does so without a subquery, which would
    keep Postgres from running in parallel; 100 nulls before its items say that they are distinct.
#}
{% macro postgres__unnest_distinct(list, alias, item) -%}
lateral (
    select items.item as {{ item }}
    from unnest(
        case
            when cardinality({{ list }}) <= 100 then {{ list }}
            else array_fill(cast(null as bigint), array[100])
                || cast(tsvector_to_array(array_to_tsvector(array_remove(cast({{ list }} as text[]), null))) as bigint[])
        end
    ) with ordinality as items (item, place)
    where items.item is not null and (items.place > 100 or array_position({{ list }}, items.item) = items.place)
) as {{ alias }}
{%- endmacro %}

{# A separate select list keeps DuckDB from joining the lists to themselves. #}
{% macro duckdb__unnest_distinct(list, alias, item) -%}
lateral (
    select unnest(list_distinct({{ list }})) as {{ item }}
) as {{ alias }}
{%- endmacro %}

{% macro spark__unnest_distinct(list, alias, item) -%}
lateral explode(array_compact(array_distinct({{ list }}))) as {{ alias }} ({{ item }})
{%- endmacro %}

{#
    A row source for all items of a list, including nulls, for use after `cross join`.

    In:  cross join {{ unnest_all('compound_ids', 'listed', 'compound_id') }}
    Out: for the list {3,null,3} the rows 3, null and 3

    Arguments: as for unnest_distinct().
#}
{% macro unnest_all(list, alias, item) -%}
    {{ return(adapter.dispatch('unnest_all')(list, alias, item)) }}
{%- endmacro %}

{% macro postgres__unnest_all(list, alias, item) -%}
unnest({{ list }}) as {{ alias }} ({{ item }})
{%- endmacro %}

{% macro duckdb__unnest_all(list, alias, item) -%}
lateral (
    select unnest({{ list }}) as {{ item }}
) as {{ alias }}
{%- endmacro %}

{% macro spark__unnest_all(list, alias, item) -%}
lateral explode({{ list }}) as {{ alias }} ({{ item }})
{%- endmacro %}

{#
    dbt's `safe_cast`, which unit tests use for their rows, extended to lists: a YAML list such as `[1, null]` becomes a
    list of the engine. (Postgres reports the type of any list as ARRAY; all lists of this project are of bigint.)
#}
{% macro default__safe_cast(field, type) -%}
cast({{ list_literal(field) if field is sequence and field is not string else field }} as {{ 'bigint[]' if type == 'ARRAY' else type }})
{%- endmacro %}

{% macro spark__safe_cast(field, type) -%}
{{ default__safe_cast(field, type) }}
{%- endmacro %}
