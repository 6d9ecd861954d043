{#
    The parts of a text between separators, as a list; of an empty text none or one that is empty, as the engine
    has it.

    In:  split_text('experiment_compound_ids', "';'")       Out: '1;3' gives the list of '1' and '3'

    Arguments: text, an expression; separator, a literal of one character that means itself in a pattern.
#}
{% macro split_text(text, separator) -%}
    {{ return(adapter.dispatch('split_text')(text, separator)) }}
{%- endmacro %}

{% macro default__split_text(text, separator) -%}
string_split({{ text }}, {{ separator }})
{%- endmacro %}

{% macro postgres__split_text(text, separator) -%}
string_to_array({{ text }}, {{ separator }})
{%- endmacro %}

{% macro spark__split_text(text, separator) -%}
split({{ text }}, {{ separator }})
{%- endmacro %}
