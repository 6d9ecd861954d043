{#
    How often a list has an item that is not null.

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
