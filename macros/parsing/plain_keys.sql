{#
    The different keys of a plain list, as a list of text, in any order.

    In:  plain_keys('experiment_compound_ids')       Out: '3;1;3' gives {1,3}

    Arguments: text, an expression for a list for which is_plain_key_list() holds.
#}
{% macro plain_keys(text) -%}
    {{ return(adapter.dispatch('plain_keys')(text)) }}
{%- endmacro %}

{% macro default__plain_keys(text) -%}
list_distinct({{ split_text(text, "';'") }})
{%- endmacro %}

{#
    A tsvector holds each word once, which is the cheapest way to them. Its size is limited, hence that of
    plain lists.
#}
{% macro postgres__plain_keys(text) -%}
tsvector_to_array(array_to_tsvector({{ split_text(text, "';'") }}))
{%- endmacro %}

{% macro spark__plain_keys(text) -%}
array_distinct({{ split_text(text, "';'") }})
{%- endmacro %}
