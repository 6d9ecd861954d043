{#
    An id as bigint, or null where the text is not digits only or too large for bigint. Leading zeros are allowed.

    In:  parse_id('user_id')        Out: '007' gives 7; '', '-1', '1.0' and '9223372036854775808' give null

    Arguments: text, an expression for trimmed text.
#}
{% macro parse_id(text) -%}
    {{ return(adapter.dispatch('parse_id')(text)) }}
{%- endmacro %}

{% macro default__parse_id(text) -%}
case when {{ matches(text, '[0-9]+') }} then try_cast({{ text }} as bigint) end
{%- endmacro %}

{#
    The length is compared apart from the pattern, and the pattern is that of a single character: one with a bound such
    as {1,18} costs Postgres several times as much.
#}
{% macro postgres__parse_id(text) -%}
case
    when length({{ text }}) between 1 and 18 and {{ text }} !~ '[^0-9]' then cast({{ text }} as bigint)
    when {{ matches(text, '[0-9]+') }} and length(ltrim({{ text }}, '0')) <= 19
        then case
            when cast('0' || ltrim({{ text }}, '0') as numeric) <= 9223372036854775807
                then cast('0' || ltrim({{ text }}, '0') as bigint)
        end
end
{%- endmacro %}
