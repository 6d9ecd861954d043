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
        {%- set names = mart.columns.keys() | list -%}
        {%- set columns = names | join(', ') -%}
        {%- set key = primary_key(mart) -%}
        {%- set new, old = 'select ' ~ columns ~ ' from ' ~ candidate, 'select ' ~ columns ~ ' from ' ~ published -%}
        {%- if key -%}
            {%- set keys, changes, same_key = key | join(', '), [], [] -%}
            {%- for name in names if name not in key -%}
                {%- do changes.append(name ~ ' = changed.' ~ name) -%}
            {%- endfor -%}
            {%- for name in key -%}
                {%- do same_key.append('published.' ~ name ~ ' = changed.' ~ name) -%}
            {%- endfor -%}
            {%- do run_query(
                'delete from ' ~ published ~ ' where (' ~ keys ~ ') in (select ' ~ keys ~ ' from ' ~ published ~ ' except select ' ~ keys ~ ' from ' ~ candidate ~ ')'
            ) -%}
            {#- In place, since rows of others may refer to a row. -#}
            {%- do run_query(
                'update ' ~ published ~ ' as published set ' ~ changes | join(', ') ~ ' from (' ~ new ~ ' except ' ~ old ~ ') as changed where '
                ~ same_key | join(' and ')
            ) if changes -%}
            {%- do run_query('insert into ' ~ published ~ ' (' ~ columns ~ ') ' ~ new ~ ' except ' ~ old) -%}
        {%- else -%}
            {%- do run_query(
                'delete from ' ~ published ~ ' where exists (' ~ old ~ ' except all ' ~ new ~ ') or exists (' ~ new ~ ' except all ' ~ old ~ ')'
            ) -%}
            {%- do run_query('insert into ' ~ published ~ ' (' ~ columns ~ ') ' ~ new ~ ' where not exists (select 1 from ' ~ published ~ ')') -%}
        {%- endif -%}
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
