{#
    A date, or null where the text is not a day of the calendar written as YYYY-MM-DD.

    In:  parse_date('signup_date')      Out: '2024-02-29' gives that day; '2023-02-29', '1.2.2023' and '' give null

    Arguments: text, an expression for trimmed text.
#}
{% macro parse_date(text) -%}
    {{ return(adapter.dispatch('parse_date')(text)) }}
{%- endmacro %}

{% macro default__parse_date(text) -%}
case
    when {{ matches(text, '[0-9]{4}-[0-9]{2}-[0-9]{2}') }} and left({{ text }}, 4) <> '0000'
        then try_cast({{ text }} as date)
end
{%- endmacro %}

{# The day is compared with the last of its month before the cast, since a cast that fails stops the query. #}
{% macro postgres__parse_date(text) -%}
case
    when
        {{ matches(text, '[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])') }}
        and left({{ text }}, 4) <> '0000'
        then case
            when
                cast(right({{ text }}, 2) as integer)
                <= extract(day from cast(left({{ text }}, 8) || '01' as date) + interval '1 month' - interval '1 day')
                then cast({{ text }} as date)
        end
end
{%- endmacro %}
