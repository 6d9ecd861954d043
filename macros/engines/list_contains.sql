{#
    Whether a list has an item.

    In:  list_contains('compound_ids', 'compound_id')

    Arguments: list and item, expressions.
#}
{% macro list_contains(list, item) -%}
    {{ return(adapter.dispatch('list_contains')(list, item)) }}
{%- endmacro %}

{% macro postgres__list_contains(list, item) -%}
{{ item }} = any({{ list }})
{%- endmacro %}

{% macro duckdb__list_contains(list, item) -%}
list_contains({{ list }}, {{ item }})
{%- endmacro %}

{% macro spark__list_contains(list, item) -%}
array_contains({{ list }}, {{ item }})
{%- endmacro %}
