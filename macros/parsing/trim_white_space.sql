{#
    Text without white space at its ends: the same characters that are trimmed from the cells of a file.

    In:  trim_white_space('entry')      Out: ' 2' gives '2'
#}
{% macro trim_white_space(text) -%}
    {{ return(adapter.dispatch('trim_white_space')(text)) }}
{%- endmacro %}

{% macro default__trim_white_space(text) -%}
    btrim({{ text }}, {{ white_space() }})
{%- endmacro %}

{% macro duckdb__trim_white_space(text) -%}
    trim({{ text }}, {{ white_space() }})
{%- endmacro %}
