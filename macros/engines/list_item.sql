{#
    One item of a list.

    In:  list_item('cells', 2)      Out: cells[2]

    Arguments: list, an expression; place, a number, 1 for the first.
#}
{% macro list_item(list, place) -%}
    {{ return(adapter.dispatch('list_item')(list, place)) }}
{%- endmacro %}

{% macro default__list_item(list, place) -%}
{{ list }}[{{ place }}]
{%- endmacro %}

{% macro spark__list_item(list, place) -%}
try_element_at({{ list }}, {{ place }})
{%- endmacro %}
