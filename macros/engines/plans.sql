{#
    Belongs at the end of a query whose columns are used more than once: without it, Postgres would parse each cell again for
    every use. It does nothing on engines that reuse what they have computed.

    In:  evaluate_once()        Out: offset bigint '0'

    (An offset of type integer, which a plain 0 is, would keep the query from running in parallel.)
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
    Belongs after the name of a common table expression that is read twice. Without it, Postgres writes all its rows to disk
    and reads them with one process.

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
