{#
    A run time, or null where the text is not a plain decimal that is not negative: digits with at most one
    point, no sign, no exponent, at most 10 digits before the point and 18 behind it.

    In:  parse_run_time('experiment_run_time')      Out: '12.50' gives 12.50; '', '-1', '1e3' and 'NaN' give null

    Arguments: text, an expression for trimmed text.

    With so many digits all engines compute the same sums, for up to 10 billion experiments.
#}
{% macro parse_run_time(text) -%}
case
    when
        {{ matches(text, '[0-9]+[.]?[0-9]*|[.][0-9]+') }}
        and (
            length({{ text }}) <= 10
            or (length(split_part({{ text }}, '.', 1)) <= 10 and length(split_part({{ text }}, '.', 2)) <= 18)
        )
        then {{ checked_cast(text, 'numeric') }}
end
{%- endmacro %}
