{#
    An id as bigint, or null if the text is not a whole number of at least 0, or too large for bigint.

    In:  parse_id('user_id')        Out: '007' and '7.0' give 7; '', '-1', '1.5', '7.000' and '9223372036854775808' give null

    Arguments: text, an expression for trimmed text.

    Plain digits, which nearly all ids are, are cast directly. A text of 19 digits is first compared with the largest id,
    since a failing cast stops the query on Postgres.
#}
{% macro parse_id(text) -%}
{%- set digits = "trim(leading '0' from split_part(" ~ without_marks(text) ~ ", '.', 1))" -%}
case
    when length({{ text }}) <= 18 and {{ matches(text, '[0-9]+') }} then {{ checked_cast(text, 'bigint') }}
    when {{ matches(text, with_marks('[0-9]+' ~ decimals_of_zero())) }}
        then case
            when length({{ digits }}) < 19 or (length({{ digits }}) = 19 and {{ digits }} <= '9223372036854775807')
                then {{ checked_cast("'0' || " ~ digits, 'bigint') }}
        end
end
{%- endmacro %}

{#
    Why a text is not an id, if parse_id() returned null: 'missing_id', 'id_too_large' or 'id_not_integer'.

    In:  case when user_id is null then {{ id_reason('user_id_text') }} end

    Arguments: text, an expression for trimmed text.
#}
{% macro id_reason(text) -%}
case
    when {{ is_missing(text) }} then 'missing_id'
    when {{ matches(text, with_marks('[0-9]+' ~ decimals_of_zero())) }} then 'id_too_large'
    else 'id_not_integer'
end
{%- endmacro %}

{#
    The pattern of the decimals that a whole number may have: zeros, but not three, since 7.000 could mean seven thousand.
#}
{% macro decimals_of_zero() -%}
    {{ return('(?:[.](?:0?0?|00000*))?') }}
{%- endmacro %}
