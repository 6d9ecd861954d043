{#
    A date, or null if the text is not a valid date that begins with its year: 2024-03-01, 2024/03/01 or 20240301. A time
    after it is ignored, and does not shift the day, whatever its time zone.

    In:  parse_date('signup_date')      Out: '2024-02-29T14:00Z' gives that day; '2023-02-29', '1.2.2023' and '' null

    Arguments: text, an expression for trimmed text.
#}
{% macro parse_date(text) -%}
{%- set time = '([01][0-9]|2[0-4]):[0-5][0-9](:[0-6][0-9]([.][0-9]+)?)?( ?(Z|UTC|[+-][0-9][0-9](:?[0-9][0-9])?))?' -%}
{%- set year = '[0-9][0-9][0-9][0-9]' -%}
{%- set digits = "translate(left(" ~ text ~ ", 10), '-/', '')" -%}
{%- set day = "left(" ~ digits ~ ", 4) || '-' || substr(" ~ digits ~ ", 5, 2) || '-' || substr(" ~ digits ~ ", 7, 2)" -%}
case
    when {{ is_day(text) }} then {{ checked_cast(text, 'date') }}
    when {{ matches(text, '(' ~ year ~ '-[0-9][0-9]-[0-9][0-9]|' ~ year ~ '/[0-9][0-9]/[0-9][0-9])([T ]' ~ time ~ ')?|' ~ year ~ '[0-9][0-9][0-9][0-9]') }}
        then case when {{ is_day('(' ~ day ~ ')') }} then {{ checked_cast(day, 'date') }} end
end
{%- endmacro %}

{# Whether a text is a valid date as YYYY-MM-DD. It is a pattern, since a failing cast stops the query on Postgres. #}
{% macro is_day(text) -%}
{%- set days = [
    '[0-9][0-9][0-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])',
    '[0-9][0-9][0-9][0-9]-(0[13-9]|1[0-2])-(29|30)',
    '[0-9][0-9][0-9][0-9]-(0[13578]|1[02])-31',
    '([0-9][0-9](0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)-02-29',
] -%}
({{ matches(text, days | join('|')) }} and left({{ text }}, 4) <> '0000')
{%- endmacro %}

{#
    Why a text is not a date, if parse_date() returned null: 'missing_date', 'ambiguous_date' (the year comes last) or
    'invalid_date'.

    In:  case when signup_date is null then {{ date_reason('signup_date_text') }} end

    Arguments: text, an expression for trimmed text.
#}
{% macro date_reason(text) -%}
case
    when {{ is_missing(text) }} then 'missing_date'
    when {{ matches(text, '[0-9][0-9]?[-./][0-9][0-9]?[-./]([0-9][0-9])?[0-9][0-9]( [0-9:]+)?') }} then 'ambiguous_date'
    else 'invalid_date'
end
{%- endmacro %}
