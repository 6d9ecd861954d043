{#
    How many items a list has.

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
