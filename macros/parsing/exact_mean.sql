{#
    The mean as double precision: the exact quotient of a sum and a count, rounded once; null where the
    count is 0.

    In:  exact_mean('total_experiment_run_time', 'known_run_times')
    Out: for 0.6 and 3 it is 0.2; a division of doubles gives 0.19999999999999998

    Arguments: total, an expression of type numeric; count, one of type bigint.

    Postgres computes as many decimals of a quotient as its operands have, hence the 30 that the count gets.
#}
{% macro exact_mean(total, count) -%}
cast({{ total }} / nullif(round(cast({{ count }} as numeric), 30 + scale({{ total }})), 0) as double precision)
{%- endmacro %}
