{#
    A run time, or null where the text is not a number from 0 up with at most 10 digits before the point and 18
    behind it.

    In:  parse_run_time('experiment_run_time', 'commas')
    Out: '12.50' and '1.250e1' give 12.50; '12,5' gives 12.5 where commas are 'decimal'; '', '-1' and '5 min' give null

    Arguments: text, an expression for trimmed text; commas, one for what meaning_of_commas() found.

    A plain number, as nearly all are, is cast as it is, and next one with a comma instead of the point. Of any other one, the point is moved by the exponent in the
    text, which is exact. With so many digits all engines compute the same sums, for up to 10 billion experiments.
#}
{% macro parse_run_time(text, commas) -%}
{%- set number = "lower(" ~ without_marks(number_with_point(text, commas)) ~ ")" -%}
{%- set whole = "split_part(split_part(" ~ number ~ ", 'e', 1), '.', 1)" -%}
{%- set places = "split_part(split_part(" ~ number ~ ", 'e', 1), '.', 2)" -%}
{%- set exponent = "coalesce(" ~ checked_cast("nullif(split_part(" ~ number ~ ", 'e', 2), '')", 'integer') ~ ", 0)" -%}
{%- set point = "greatest(length(" ~ whole ~ ") + " ~ exponent ~ ", 0)" -%}
{%- set digits = "repeat('0', -length(" ~ whole ~ ") - " ~ exponent ~ ") || " ~ whole ~ " || " ~ places
    ~ " || repeat('0', " ~ exponent ~ " - length(" ~ places ~ "))" -%}
case
    {%- for plain in (number_with_point(text), number_with_point(text, commas)) %}
    when
        {{ matches(plain, '[0-9]+[.]?[0-9]*|[.][0-9]+') }}
        and (
            length({{ plain }}) <= 10
            or (length(split_part({{ plain }}, '.', 1)) <= 10 and length(split_part({{ plain }}, '.', 2)) <= 18)
        )
        then {{ checked_cast(plain, 'numeric') }}
    {%- endfor %}
    when {{ matches(number_with_point(text, commas), with_marks('([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?0*[0-9]?[0-9])?')) }}
        then case
            when length({{ whole }}) + {{ exponent }} <= 10 and length({{ places }}) - {{ exponent }} <= 18
                then {{ checked_cast("'0' || left(" ~ digits ~ ", " ~ point ~ ") || '.' || substr(" ~ digits ~ ", " ~ point ~ " + 1)", 'numeric') }}
        end
end
{%- endmacro %}

{#
    Why a text is not a run time, where parse_run_time() gave null: 'missing_run_time', 'negative_run_time',
    'run_time_too_long', 'ambiguous_comma', 'comma_and_point' or 'run_time_not_number'.

    In:  case when experiment_run_time is null then {{ run_time_reason('experiment_run_time_text', 'commas') }} end

    Arguments: as of parse_run_time().
#}
{% macro run_time_reason(text, commas) -%}
{%- set number = number_with_point(text, commas) -%}
case
    when {{ is_missing(text) }} then 'missing_run_time'
    when {{ matches("replace(" ~ number ~ ", ',', '.')", '-([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?') }} then 'negative_run_time'
    when {{ matches(number, with_marks('([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?')) }} then 'run_time_too_long'
    when {{ commas }} <> 'decimal' and {{ matches(text, with_marks(decimal_comma() ~ '|' ~ grouped_digits())) }} then {{ commas }}
    else 'run_time_not_number'
end
{%- endmacro %}
