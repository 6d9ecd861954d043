{#
    A run time as numeric, or null where the text is not a plain decimal that is not negative: digits
    with at most one point, no sign, no exponent, at most 255 characters.

    In:  parse_run_time('experiment_run_time')      Out: '12.50' gives 12.50; '', '-1', '1e3' and 'NaN' give null

    Arguments: text, an expression for trimmed text.
#}
{% macro parse_run_time(text) -%}
case
    when {{ text }} ~ '^([0-9]+[.]?[0-9]*|[.][0-9]+)$' and length({{ text }}) <= 255 then cast({{ text }} as numeric)
end
{%- endmacro %}
