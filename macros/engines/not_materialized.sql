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
