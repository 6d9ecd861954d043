{#
    The characters that are trimmed, as a string literal for btrim(): space, tab, carriage return, line
    feed, vertical tab, form feed, no-break space and byte-order mark.
#}
{% macro white_space() -%}
E' \t\r\n\x0b\x0c\u00a0\ufeff'
{%- endmacro %}
