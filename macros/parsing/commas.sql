{#
    A query for what a comma means in a column of numbers: one row with the column commas, which is 'decimal' for a
    decimal mark, or the code of the reason why a number with a comma cannot be used:

    - 'ambiguous_comma' where each of them may as well group digits, as 1,234 does;
    - 'comma_and_point' where other numbers have a point.

    Where FEATURES_DECIMAL names the decimal mark, nothing is to be found out.

    Arguments: column, its name; relation, the relation that has it.
#}
{% macro meaning_of_commas(column, relation) -%}
{%- if decimal_mark() -%}
select 'decimal' as commas
{%- else -%}
select
        case
            when not coalesce(
                bool_or(
                    {{ column }} like '%,%'
                    and {{ column }} not like '%,'
                    and {{ matches(column, with_marks(decimal_comma())) }}
                    and not {{ matches(column, with_marks(grouped_digits())) }}
                ),
                false
            ) then 'ambiguous_comma'
            when bool_or({{ column }} like '%.%' and {{ column }} not in ('.', 'n.a.', 'N.A.')) then 'comma_and_point'
            else 'decimal'
        end as commas
    from {{ relation }}
    where {{ column }} like '%,%' or {{ column }} like '%.%'
{%- endif -%}
{%- endmacro %}

{# The pattern of a number with a decimal comma, maybe with points that group its digits. #}
{% macro decimal_comma() -%}
    {{ return('([0-9]+,[0-9]*|,[0-9]+)([eE][+-]?[0-9]+)?|[1-9][0-9]?[0-9]?([.][0-9][0-9][0-9])+,[0-9]*') }}
{%- endmacro %}

{# The pattern of a number with commas that group its digits. #}
{% macro grouped_digits() -%}
    {{ return('[1-9][0-9]?[0-9]?(,[0-9][0-9][0-9])+([.][0-9]*)?') }}
{%- endmacro %}

{#
    The decimal mark that FEATURES_DECIMAL names, a comma or a point; empty where it is not set.
#}
{% macro decimal_mark() -%}
    {%- set mark = env_var('FEATURES_DECIMAL', '') -%}
    {%- if execute and mark not in ('', ',', '.') -%}
        {%- do exceptions.raise_compiler_error('FEATURES_DECIMAL is "' ~ mark ~ '"; set it to a comma or a point, or not at all.') -%}
    {%- endif -%}
    {{ return(mark) }}
{%- endmacro %}

{#
    A number with a point as its decimal mark and no other marks in it, as far as it is known what its marks mean.

    In:  number_with_point('experiment_run_time', 'commas')
    Out: '12,5' gives '12.5' where commas are 'decimal'; '1,234.5' gives '1234.5' where FEATURES_DECIMAL is a point

    Arguments: text, an expression; commas, one for what meaning_of_commas() found; without it, commas stay.
#}
{% macro number_with_point(text, commas=none) -%}
{%- if not decimal_mark() -%}
    {%- if commas -%}
case when {{ commas }} = 'decimal' then replace({{ text }}, ',', '.') else {{ text }} end
    {%- else -%}
{{ text }}
    {%- endif -%}
{%- else -%}
{%- set number = text if decimal_mark() == '.' else "translate(" ~ text ~ ", ',.', '.,')" -%}
    {%- if commas -%}
case
    when {{ matches(number, '-?(' ~ with_marks(grouped_digits()) ~ ')') }} then replace({{ number }}, ',', '')
    else {{ number }}
end
    {%- else -%}
{{ number }}
    {%- endif -%}
{%- endif -%}
{%- endmacro %}
