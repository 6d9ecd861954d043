{#
    The characters that are trimmed, as an expression: space, tab, carriage return, line feed, vertical tab,
    form feed, no-break space and byte-order mark.
#}
{% macro white_space() -%}
    {{ return(adapter.dispatch('white_space')()) }}
{%- endmacro %}

{% macro default__white_space() -%}
E' \t\r\n\x0b\x0c\u00a0\ufeff'
{%- endmacro %}

{% macro spark__white_space() -%}
' \t\r\n\u000b\u000c\u00a0\ufeff'
{%- endmacro %}

{% macro duckdb__white_space() -%}
E' \t\r\n' || chr(11) || chr(12) || chr(160) || chr(65279)
{%- endmacro %}
