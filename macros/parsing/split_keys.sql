{#
    The keys in a text with semicolons between them, as a list of bigint.

    In:  split_keys('keys')       Out: '3;1;3' gives {3,1,3}; null gives null

    Arguments: text, an expression for text that plain_keys() gave, or several such texts joined by semicolons.
#}
{% macro split_keys(text) -%}
    {{ return(adapter.dispatch('split_keys')(text)) }}
{%- endmacro %}

{% macro default__split_keys(text) -%}
cast({{ split_text(text, "';'") }} as bigint[])
{%- endmacro %}

{% macro spark__split_keys(text) -%}
cast({{ split_text(text, "';'") }} as array<bigint>)
{%- endmacro %}
