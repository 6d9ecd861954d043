{#
    A mean as double precision: the exact quotient of a sum and a count, rounded once; null if the count is 0.

    In:  exact_mean('total_experiment_run_time', 'known_run_times')
    Out: for 0.6 and 3 it is 0.2; a division of doubles gives 0.19999999999999998

    Arguments: total, an expression of the type data_type('numeric'); count, an expression for a whole number.
#}
{% macro exact_mean(total, count) -%}
    {{ return(adapter.dispatch('exact_mean')(total, count)) }}
{%- endmacro %}

{# Postgres gives a quotient at least as many decimals as its operands have, so the count gets 30 more than the sum has. #}
{% macro postgres__exact_mean(total, count) -%}
cast({{ total }} / nullif(round(cast({{ count }} as numeric), 30 + scale({{ total }})), 0) as double precision)
{%- endmacro %}

{#
    DuckDB divides decimals as doubles, so this is a long division of integers: the sum in units of its last decimal, then
    the remainder, for 18 more decimals. The digits are cast to a double.
#}
{% macro duckdb__exact_mean(total, count) -%}
{%- set units = "cast(replace(cast(" ~ total ~ " as text), '.', '') as hugeint)" -%}
{%- set divisor = "nullif(cast(" ~ count ~ " as hugeint), 0)" -%}
{%- set power = "cast(1000000000000000000 as hugeint)" -%}
cast(
    ({{ units }} // {{ divisor }} // {{ power }})
    || '.' || lpad(cast({{ units }} // {{ divisor }} % {{ power }} as text), 18, '0')
    || lpad(cast({{ units }} % {{ divisor }} * {{ power }} // {{ divisor }} as text), 18, '0')
    as double
)
{%- endmacro %}

{#
    Spark keeps only 6 decimals of a quotient of long decimals, so this is a long division: the whole part, then the
    remainder, 18 decimals at a time. The digits are cast to a double.
#}
{% macro spark__exact_mean(total, count) -%}
{%- set divisor = "nullif(cast(" ~ count ~ " as decimal(20, 0)), 0)" -%}
{%- set power = "cast(1000000000000000000 as decimal(19, 0))" -%}
{%- set rest = "cast(cast(" ~ total ~ " % " ~ divisor ~ " as decimal(38, 18)) * " ~ power ~ " as decimal(38, 0))" -%}
{%- set last_rest = "cast(cast(" ~ rest ~ " % " ~ divisor ~ " as decimal(19, 0)) * " ~ power ~ " as decimal(38, 0))" -%}
cast(
    cast(cast(({{ total }} - {{ total }} % {{ divisor }}) / {{ divisor }} as decimal(20, 0)) as string)
    || '.' || lpad(cast(cast(({{ rest }} - {{ rest }} % {{ divisor }}) / {{ divisor }} as decimal(18, 0)) as string), 18, '0')
    || lpad(cast(cast(({{ last_rest }} - {{ last_rest }} % {{ divisor }}) / {{ divisor }} as decimal(18, 0)) as string), 18, '0')
    as double
)
{%- endmacro %}
