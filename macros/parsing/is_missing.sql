{#
    Whether a text stands for no value: it is empty, or one of the words that programs write there, in any case.

    In:  is_missing('user_id')      Out: true for '', 'NA', 'n/a' and 'NaN'

    Arguments: text, an expression for trimmed text.
#}
{% macro is_missing(text) -%}
upper({{ text }}) in ('', 'NA', 'N/A', '#N/A', 'NAN', 'NULL', 'NONE', '-')
{%- endmacro %}
