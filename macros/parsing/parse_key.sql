{#
    A key as bigint, or null where the text is not digits only or too large for bigint. Leading zeros
    are allowed.

    In:  parse_key('user_id')        Out: '007' gives 7; '', '-1', '1.0' and '9223372036854775808' give null

    Arguments: text, an expression for trimmed text.
#}
{% macro parse_key(text) -%}
case
    when {{ text }} ~ '^0*[0-9]{1,18}$' then cast({{ text }} as bigint)
    when {{ text }} ~ '^0*[0-9]{19}$'
        then case
            when cast(ltrim({{ text }}, '0') as numeric) <= 9223372036854775807 then cast({{ text }} as bigint)
        end
end
{%- endmacro %}
