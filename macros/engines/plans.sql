{#
    Ends a query whose columns are used more than once above it: Postgres would parse each cell anew for every
    column that looks at the result. Nothing on engines that keep what they have computed.

    In:  evaluate_once()        Out: offset bigint '0'

    (An offset of type integer, as 0 is by itself, would keep what is below it from running in parallel.)
#}
{% macro evaluate_once() -%}
    {{ return(adapter.dispatch('evaluate_once')()) }}
{%- endmacro %}

{% macro default__evaluate_once() -%}
{%- endmacro %}

{% macro postgres__evaluate_once() -%}
offset bigint '0'  -- noqa: AM09
{%- endmacro %}

{#
    Behind the name of a common table expression that is read twice: Postgres would otherwise write all its rows to disk
    and read them by one process.

    In:  users as {{ not_materialized() }} (select ...)       Out: users as not materialized (select ...)
#}
{% macro not_materialized() -%}
    {{ return(adapter.dispatch('not_materialized')()) }}
{%- endmacro %}

{% macro default__not_materialized() -%}
not materialized
{%- endmacro %}

{% macro spark__not_materialized() -%}
{%- endmacro %}
