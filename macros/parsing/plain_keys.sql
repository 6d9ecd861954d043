{#
    The different keys of a plain list, as an array of text, in any order.

    In:  plain_keys('experiment_compound_ids')       Out: '3;1;3' gives {1,3}

    Arguments: text, an expression for a list for which is_plain_key_list() holds.

    A tsvector holds each word once, which is the cheapest way to them. Its size is limited, hence that of
    plain lists.
#}
{% macro plain_keys(text) -%}
tsvector_to_array(array_to_tsvector(string_to_array({{ text }}, ';')))
{%- endmacro %}
