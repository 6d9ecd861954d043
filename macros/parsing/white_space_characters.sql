{#
    The characters that white_space() writes for the engine, as they are: for patterns, and for Jinja itself.
#}
{% macro white_space_characters() -%}
    {{ return(' \t\r\n\x0b\x0c\u00a0\ufeff') }}
{%- endmacro %}
