{#
    Keeps the result of a query for the rest of a load, and returns the name under which it can be read.

    Arguments: name; query.
#}
{% macro scratch_relation(name, query) -%}
    {{ return(adapter.dispatch('scratch_relation')(name, query)) }}
{%- endmacro %}

{% macro postgres__scratch_relation(name, query) -%}
    {%- do run_query('drop table if exists pg_temp.' ~ name) -%}
    {%- do run_query('create temporary table ' ~ name ~ ' on commit drop as ' ~ query) -%}
    {{ return('pg_temp.' ~ name) }}
{%- endmacro %}

{% macro duckdb__scratch_relation(name, query) -%}
    {%- do run_query('create or replace temporary table ' ~ name ~ ' as ' ~ query) -%}
    {{ return('temp.' ~ name) }}
{%- endmacro %}

{# Spark has no temporary tables; the query runs anew each time. Sessions may be shared, so the name is the run's own. #}
{% macro spark__scratch_relation(name, query) -%}
    {%- set own_name = name ~ '_' ~ model.name ~ '_' ~ invocation_id | replace('-', '_') -%}
    {%- do run_query('create or replace temporary view ' ~ own_name ~ ' as ' ~ query) -%}
    {{ return(own_name) }}
{%- endmacro %}
