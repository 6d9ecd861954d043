{#
    The different keys of a plain list, as text with semicolons between them, in any order.

    In:  plain_keys('experiment_compound_ids')       Out: '3;1;3' gives '3;1'

    Arguments: text, an expression for a list for which is_plain_key_list() holds.
#}
{% macro plain_keys(text) -%}
    {{ return(adapter.dispatch('plain_keys')(text)) }}
{%- endmacro %}

{% macro default__plain_keys(text) -%}
array_to_string(list_distinct({{ split_text(text, "';'") }}), ';')
{%- endmacro %}

{#
    A tsvector holds each word once, which is the cheapest way to them. Its size is limited, hence that of
    plain lists. A list of one key is left as it is.
#}
{% macro postgres__plain_keys(text) -%}
case
    when strpos({{ text }}, ';') = 0 then {{ text }}
    else array_to_string(tsvector_to_array(array_to_tsvector({{ split_text(text, "';'") }})), ';')
end
{%- endmacro %}

{% macro spark__plain_keys(text) -%}
array_join(array_distinct({{ split_text(text, "';'") }}), ';')
{%- endmacro %}
