{#
    How many items of a list are null.

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
