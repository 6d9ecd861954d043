{#
    A list of the engine, from one of Jinja.

    In:  list_literal([1, none])      Out: array[1, null]

    Arguments: items, the list of numbers and nones.
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
