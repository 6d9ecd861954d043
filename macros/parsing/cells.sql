{#
    The characters that are trimmed from items of a list: white space and zero-width characters, the same ones that the reader
    trims from cells. They are unescaped, for use in patterns and in Jinja.
#}
{% macro white_space_characters() -%}
    {{ return(
        ' \t\r\n\x0b\x0c\x1a\x1c\x1d\x1e\x1f\x85\xa0\xad\u061c\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029'
        ~ '\u202f\u205f\u3000\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff'
    ) }}
{%- endmacro %}

{#
    Text without white space at its ends.

    In:  trim_white_space('entry')      Out: ' 2' gives '2'
#}
{% macro trim_white_space(text) -%}
trim(both '{{ white_space_characters() }}' from {{ text }})
{%- endmacro %}

{#
    Whether a text means that a value is missing: it is empty, or a word that programs write for a missing value, in any case.

    In:  is_missing('user_id')      Out: true for '', 'NA', 'n/a' and 'NaN'

    Arguments: text, an expression for trimmed text.
#}
{% macro is_missing(text) -%}
upper({{ text }}) in (
    '', 'NA', 'N/A', '#N/A', 'NAN', 'NULL', 'NONE', '-', '--', '–', '—', '.', ',', '?', {{ text_literal('\\N') }}, 'N.A.', 'N.D.', 'ND',
    '<NA>', '(NULL)', '[NULL]', '#NULL!', 'NAT', 'MISSING'
)
{%- endmacro %}

{#
    Free text, or null if it is empty or a mark that only programs write for a missing value or an error, in any case. Words that
    could be names, such as Null or NA, are kept.

    In:  present_text('name')       Out: null for '' and '\N'

    Arguments: text, an expression for trimmed text.
#}
{% macro present_text(text) -%}
case
    when
        upper({{ text }}) not in (
            '', {{ text_literal('\\N') }}, '<NA>', '(NULL)', '[NULL]', '#N/A', '#NULL!', '#REF!', '#VALUE!', '#NAME?', '#DIV/0!', '#NUM!'
        )
        then {{ text }}
end
{%- endmacro %}

{#
    A pattern that allows what programs write around a number: a plus sign, quotes, and the marks that make a spreadsheet
    treat a number as text, such as ="2" and '2.

    In:  matches(text, with_marks('[0-9]+'))      Out: true for 2, +2, "2", '2', ="2" and '2 without its last quote

    Arguments: pattern, the pattern of the number itself.
#}
{% macro with_marks(pattern) -%}
    {%- set number = '[+]?(' ~ pattern ~ ')' -%}
    {{ return(number ~ "|'" ~ number ~ "'?|=?\"" ~ number ~ '"') }}
{%- endmacro %}

{#
    The number in a text that matches a pattern from with_marks().

    In:  without_marks('user_id')       Out: '="2.0"' gives '2.0'
#}
{% macro without_marks(text) -%}
trim(both {{ text_literal('+=\'"') }} from {{ text }})
{%- endmacro %}

{#
    The first character of a text that looks like a digit or sign but is not one, with its code, as the end of a reason: a
    non-ASCII character in a text without letters, or one of the letters O, o, I and l among digits. Null if there is none.

    In:  misleading_character('user_id')        Out: '1٢' gives ': "٢" (U+0662) is not one of the digits 0 to 9'

    Arguments: text, an expression for trimmed text.
#}
{% macro misleading_character(text) -%}
{%- set character = "left(regexp_replace(" ~ text ~ ", '^[\t-HJ-NP-kmnp-~]+', ''), 1)" -%}
{%- set code = code_point(character) -%}
case
    when
        {{ character }} <> '' and not {{ is_missing(text) }}
        and {{ matches(text, '[^A-Za-z]*|[0-9OoIl.]*[0-9][0-9OoIl.]*') }}
        then
            ': "' || {{ character }} || '" (U+' || repeat('0', 4 - length({{ code }})) || {{ code }}
            || ') is not one of the digits 0 to 9'
end
{%- endmacro %}
