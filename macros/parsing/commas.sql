{#
    A query for what commas and points mean in a column of numbers. It has one row with the columns

    - commas: 'decimal' if commas are decimal marks, and points, if there are any, group digits; 'grouping' if commas group digits and points
      are decimal marks; otherwise the code of the reason why a number with a comma cannot be used: 'ambiguous_comma' if every comma could
      also group digits (1,234), 'comma_and_point' if other numbers have a point;
    - points_group_digits: whether points may group digits: true if they do so in some number, such as 1.234.567 or 1.234,5,
      or if some number has a decimal comma and none has a point that must be a decimal point.

    A number with both marks, such as 1,234.5, settles what they mean, unless another number contradicts it.

    If FEATURES_DECIMAL names the decimal mark, commas is 'decimal' or 'grouping', and the query does not read the column.

    Arguments: column, its name; relation, the relation that has it.
#}
{% macro meaning_of_marks(column, relation) -%}
{%- if decimal_mark() -%}
select
        '{{ 'decimal' if decimal_mark() == ',' else 'grouping' }}' as commas,
        false as points_group_digits
{%- else -%}
with

    found as (

        select
            coalesce(bool_or(
                {{ column }} like '%,%'
                and {{ column }} not like '%,'
                and {{ matches(column, with_marks(decimal_comma())) }}
                and not {{ matches(column, with_marks(grouped_digits())) }}
            ), false) as has_decimal_comma,
            coalesce(bool_or(
                {{ column }} like '%,%.%'
                and {{ matches(column, with_marks(grouped_digits())) }}
            ), false) as has_grouping_comma,
            coalesce(bool_or(
                ({{ column }} like '%.%.%' or {{ column }} like '%.%,%')
                and {{ matches(column, with_marks(digits_grouped_by_points() ~ '(,[0-9]*)?')) }}
            ), false) as has_grouping_point
        from {{ relation }}
        where {{ column }} like '%,%' or {{ column }} like '%.%'

    ),

    counted as (

        select
            *,
            -- Postgres evaluates these two only if the result matters. The first number in a text, which may have a unit, has a point.
            exists(
                select 1
                from {{ relation }}
                where
                    {{ column }} like '%.%'
                    and {{ matches(column, '[^0-9]*([0-9,]*[.][0-9]+([^0-9.].*)?|[0-9,]+[.])') }}
            ) as has_point,
            -- Points that must be decimal points.
            (
                select count(*)
                from {{ relation }}
                where
                    {{ column }} like '%.%'
                    and {{ matches(column, with_marks('([0-9]+[.][0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?')) }}
                    and not {{ matches(column, with_marks(digits_grouped_by_points())) }}
            ) as decimal_points
        from found

    )

    select
        case
            when has_decimal_comma and not has_point then 'decimal'
            when has_grouping_point and not has_grouping_comma and decimal_points = 0 then 'decimal'
            when has_grouping_comma and not has_grouping_point and not has_decimal_comma then 'grouping'
            when has_decimal_comma then 'comma_and_point'
            else 'ambiguous_comma'
        end as commas,
        has_grouping_point or (has_decimal_comma and decimal_points = 0) as points_group_digits
    from counted
{%- endif -%}
{%- endmacro %}

{# The pattern of a number with a decimal comma, and possibly points as digit separators. #}
{% macro decimal_comma() -%}
    {{ return('([0-9]+,[0-9]*|,[0-9]+)([eE][+-]?[0-9]+)?|[1-9][0-9]?[0-9]?([.][0-9][0-9][0-9])+,[0-9]*') }}
{%- endmacro %}

{# The pattern of a number with commas as digit separators. #}
{% macro grouped_digits() -%}
    {{ return('[1-9][0-9]?[0-9]?(,[0-9][0-9][0-9])+([.][0-9]*)?') }}
{%- endmacro %}

{# The pattern of a number whose points may be digit separators. #}
{% macro digits_grouped_by_points() -%}
    {{ return('[1-9][0-9]?[0-9]?([.][0-9][0-9][0-9])+') }}
{%- endmacro %}

{#
    The decimal mark that FEATURES_DECIMAL names, a comma or a point; empty if it is not set.
#}
{% macro decimal_mark() -%}
    {%- set mark = env_var('FEATURES_DECIMAL', '') -%}
    {%- if execute and mark not in ('', ',', '.') -%}
        {%- do exceptions.raise_compiler_error('FEATURES_DECIMAL is "' ~ mark ~ '"; set it to a comma or a point, or unset it.') -%}
    {%- endif -%}
    {{ return(mark) }}
{%- endmacro %}

{#
    A number with a point as its decimal mark and no digit separators.

    In:  number_with_point('experiment_run_time', 'commas')
    Out: if commas are 'decimal', '1.234,5' gives '1234.5'; if they are 'grouping', '1,234.5' does; otherwise commas stay

    Arguments: text, an expression; commas, an expression for the column commas of meaning_of_marks().
#}
{% macro number_with_point(text, commas) -%}
case {{ commas }}
    when 'decimal' then {{ without_digit_separators("translate(" ~ text ~ ", ',.', '.,')") }}
    when 'grouping' then {{ without_digit_separators(text) }}
    else {{ text }}
end
{%- endmacro %}

{# A number with a decimal point, without the commas that group its digits. #}
{% macro without_digit_separators(number) -%}
case
    when {{ number }} like '%,%' and {{ matches(number, '-?(' ~ with_marks(grouped_digits()) ~ ')') }} then replace({{ number }}, ',', '')
    else {{ number }}
end
{%- endmacro %}

{# A text in which commas and points are swapped if FEATURES_DECIMAL names the comma. #}
{% macro with_decimal_point(text) -%}
{{ "translate(" ~ text ~ ", ',.', '.,')" if decimal_mark() == ',' else text }}
{%- endmacro %}
