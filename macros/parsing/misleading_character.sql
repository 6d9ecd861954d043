{#
    The first character of a text that looks like a digit or sign and is none, with its code, to end the sentence of a
    reason: any character beyond ASCII, and the letters O, o, I and l. Null where there is none.

    In:  misleading_character('user_id')        Out: '1٢' gives ': "٢" (U+0662) is not one of the digits 0 to 9'

    Arguments: text, an expression for trimmed text.
#}
{% macro misleading_character(text) -%}
{%- set character = "left(regexp_replace(" ~ text ~ ", '^[ -HJ-NP-kmnp-~]+', ''), 1)" -%}
{%- set code = code_point(character) -%}
case
    when {{ character }} <> '' and not {{ is_missing(text) }}
        then
            ': "' || {{ character }} || '" (U+' || repeat('0', 4 - length({{ code }})) || {{ code }}
            || ') is not one of the digits 0 to 9'
end
{%- endmacro %}
