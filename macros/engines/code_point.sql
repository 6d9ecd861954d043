{#
    The code of a text's first character in hexadecimal digits.

    In:  code_point('entry')        Out: 'é' gives 'E9'
#}
{% macro code_point(text) -%}
    {{ return(adapter.dispatch('code_point')(text)) }}
{%- endmacro %}

{% macro default__code_point(text) -%}
upper(to_hex(ascii({{ text }})))
{%- endmacro %}

{% macro spark__code_point(text) -%}
hex(ascii({{ text }}))
{%- endmacro %}
