{#
    The characters that are trimmed from entries of a list: space, tab, carriage return, line feed, vertical tab, form
    feed, no-break space and byte-order mark; as they are, for patterns and for Jinja itself.
#}
{% macro white_space_characters() -%}
    {{ return(' \t\r\n\x0b\x0c\u00a0\ufeff') }}
{%- endmacro %}

{#
    Text without white space at its ends.

    In:  trim_white_space('entry')      Out: ' 2' gives '2'
#}
{% macro trim_white_space(text) -%}
trim(both '{{ white_space_characters() }}' from {{ text }})
{%- endmacro %}
