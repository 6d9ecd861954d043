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
    The number of times an item occurs in a list; nulls are not counted.

    In:  count_in_list('compound_ids', 'compound_id')      Out: for the list {1,3,1} and the item 1 it is 2

    Arguments: list and item, expressions.
#}
{% macro count_in_list(list, item) -%}
    {{ return(adapter.dispatch('count_in_list')(list, item)) }}
{%- endmacro %}

{% macro postgres__count_in_list(list, item) -%}
cardinality(array_positions({{ list }}, {{ item }}))
{%- endmacro %}

{% macro duckdb__count_in_list(list, item) -%}
len(list_filter({{ list }}, lambda listed: listed = {{ item }}))
{%- endmacro %}

{% macro spark__count_in_list(list, item) -%}
cardinality(filter({{ list }}, listed -> listed = {{ item }}))
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

{# Keeps the first occurrence of each item. In short lists that costs nothing, whereas `distinct` would sort each list. #}
{% macro postgres__unnest_distinct(list, alias, item) -%}
lateral (
    select items.item as {{ item }}
    from unnest({{ list }}) with ordinality as items (item, place)
    where items.item is not null and array_position({{ list }}, items.item) = items.place
) as {{ alias }}
{%- endmacro %}

{# A separate select list keeps DuckDB from joining the lists to themselves. #}
{% macro duckdb__unnest_distinct(list, alias, item) -%}
lateral (
    select unnest(list_filter({{ list }}, lambda listed, place: listed is not null and list_position({{ list }}, listed) = place)) as {{ item }}
) as {{ alias }}
{%- endmacro %}

{% macro spark__unnest_distinct(list, alias, item) -%}
lateral explode(array_compact(array_distinct({{ list }}))) as {{ alias }} ({{ item }})
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
