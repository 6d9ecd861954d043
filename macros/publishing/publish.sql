{#
    Replaces the rows of a published table that differ from its candidate, in the open transaction.

    Arguments: published and candidate, the tables; mart, their node in dbt's graph.
#}
{% macro publish(published, candidate, mart) -%}
    {{ return(adapter.dispatch('publish')(published, candidate, mart)) }}
{%- endmacro %}

{% macro default__publish(published, candidate, mart) -%}
    {%- set existing = load_cached_relation(published) -%}
    {%- if existing is none or should_full_refresh() or not has_same_columns(published, candidate) -%}
        {%- do replace_table(published, candidate, mart) -%}
    {%- else -%}
        {%- set columns = mart.columns.keys() | join(', ') -%}
        {%- set outdated = 'select ' ~ columns ~ ' from ' ~ published ~ ' except select ' ~ columns ~ ' from ' ~ candidate -%}
        {%- set key = primary_key(mart) | join(', ') -%}
        {%- if key -%}
            {%- do run_query('delete from ' ~ published ~ ' where (' ~ key ~ ') in (select ' ~ key ~ ' from (' ~ outdated ~ ') as outdated)') -%}
        {%- else -%}
            {%- do run_query('delete from ' ~ published ~ ' where exists (' ~ outdated ~ ')') -%}
        {%- endif -%}
        {%- do run_query(
            'insert into ' ~ published ~ ' (' ~ columns ~ ') select ' ~ columns ~ ' from ' ~ candidate ~ ' except select ' ~ columns ~ ' from ' ~ published
        ) -%}
    {%- endif -%}
{%- endmacro %}

{# Spark has no transactions across tables, and its file-based tables have no `delete`. #}
{% macro spark__publish(published, candidate, mart) -%}
    {%- if load_cached_relation(published) is not none and has_same_columns(published, candidate) -%}
        {%- do run_query('insert overwrite table ' ~ published ~ ' select * from ' ~ candidate) -%}
    {%- else -%}
        {%- do replace_table(published, candidate, mart) -%}
    {%- endif -%}
{%- endmacro %}
