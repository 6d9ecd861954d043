{#
    A set-returning expression for the entries of a list of compound ids, to be joined laterally: the
    text between semicolons, not trimmed.

    In:  cross join lateral {{ '{{' }} list_entries('experiment_compound_ids') {{ '}}' }} as entries (entry)
    Out: for '1; 2;;' the entries '1', ' 2', '' and ''

    Arguments: text, an expression for the list.
#}
{% macro list_entries(text) -%}
    string_to_table({{ text }}, ';')
{%- endmacro %}
