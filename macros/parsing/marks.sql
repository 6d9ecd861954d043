{#
    What programs write around a number or text: a plus sign; quotes; and what makes a spreadsheet take a number for
    text, as ="2" and '2. Here a pattern that allows for them.

    In:  matches(text, with_marks('[0-9]+'))      Out: true for 2, +2, "2", '2', ="2" and '2 without its last quote

    Arguments: pattern, of the number itself.
#}
{% macro with_marks(pattern) -%}
    {%- set number = '[+]?(' ~ pattern ~ ')' -%}
    {{ return(number ~ "|'" ~ number ~ "'?|=?\"" ~ number ~ '"') }}
{%- endmacro %}

{#
    The number itself of a text that matches a pattern with_marks().

    In:  without_marks('user_id')       Out: '="2.0"' gives '2.0'
#}
{% macro without_marks(text) -%}
trim(both {{ text_literal('+=\'"') }} from {{ text }})
{%- endmacro %}
