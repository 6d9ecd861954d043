{#
    A run time, or null if the text is not a number of at least 0 with at most 10 digits before the point, apart from zeros. Of the
    decimals, 18 are kept; a number below 1e-9 that has more is null, too.

    In:  parse_run_time('experiment_run_time')      Out: '12.50' and '1.250e1' give 12.5; '', '-1' and '5 min' give null

    Arguments: text, an expression for trimmed text with a point as its decimal mark; a comma gives null.

    A plain number, which nearly all are, is cast directly. In any other, the point is moved by the exponent within the
    text, which is exact. With these limits, all engines compute the same sums for up to 10 billion experiments.
#}
{% macro parse_run_time(text) -%}
{%- set number = "lower(" ~ without_marks(text) ~ ")" -%}
{%- set whole = "trim(leading '0' from split_part(split_part(" ~ number ~ ", 'e', 1), '.', 1))" -%}
{%- set places = "trim(trailing '0' from split_part(split_part(" ~ number ~ ", 'e', 1), '.', 2))" -%}
{%- set exponent = "coalesce(" ~ checked_cast("nullif(split_part(" ~ number ~ ", 'e', 2), '')", 'integer') ~ ", 0)" -%}
{%- set point = "greatest(length(" ~ whole ~ ") + " ~ exponent ~ ", 0)" -%}
{%- set digits = "repeat('0', -length(" ~ whole ~ ") - " ~ exponent ~ ") || " ~ whole ~ " || " ~ places
    ~ " || repeat('0', " ~ exponent ~ " - length(" ~ places ~ "))" -%}
case
    when
        {{ matches(text, '[0-9]+[.]?[0-9]*|[.][0-9]+') }}
        and (
            length({{ text }}) <= 10
            or (length(split_part({{ text }}, '.', 1)) <= 10 and length(split_part({{ text }}, '.', 2)) <= 18)
        )
        then {{ checked_cast(text, 'numeric') }}
    when {{ matches(text, with_marks('([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?0*[0-9]?[0-9])?')) }}
        then case
            when
                length({{ whole }}) + {{ exponent }} <= 10
                and (length({{ places }}) - {{ exponent }} <= 18 or trim(leading '0' from left({{ digits }}, {{ point }} + 9)) <> '')
                then {{ checked_cast("'0' || left(" ~ digits ~ ", " ~ point ~ ") || '.' || substr(" ~ digits ~ ", " ~ point ~ " + 1, 18)", 'numeric') }}
        end
end
{%- endmacro %}

{#
    Why a text is not a run time, if parse_run_time() returned null: 'missing_run_time', 'negative_run_time',
    'run_time_too_long', 'ambiguous_comma', 'comma_and_point', 'grouping_points' or 'run_time_not_number'.

    In:  case when experiment_run_time is null then {{ run_time_reason('experiment_run_time_text', 'run_time_number', 'commas') }} end

    Arguments: text, an expression for trimmed text; number, what number_with_point() makes of it; commas, an expression for the
    column commas of meaning_of_marks().
#}
{% macro run_time_reason(text, number, commas) -%}
{%- set is_unclear = 'false' if decimal_mark() else commas ~ " <> 'decimal'" -%}
case
    when {{ is_missing(text) }} then 'missing_run_time'
    when {{ matches("replace(" ~ number ~ ", ',', '.')", '-([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?') }} then 'negative_run_time'
    when {{ is_unclear }} and {{ matches(number, with_marks(digits_grouped_by_points())) }} then 'grouping_points'
    when {{ matches(number, with_marks('([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?')) }} then 'run_time_too_long'
    when {{ is_unclear }} and {{ matches(number, with_marks(decimal_comma() ~ '|' ~ grouped_digits())) }} then replace({{ commas }}, 'grouping', 'comma_and_point')
    else 'run_time_not_number'
end
{%- endmacro %}
