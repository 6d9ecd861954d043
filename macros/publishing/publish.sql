{#
    Replaces the rows of a published table that differ from its candidate, in the open transaction.

    Arguments: published and candidate, the tables; mart, their node in dbt's graph.
#}
{% macro publish(published, candidate, mart) -%}
    {{ return(adapter.dispatch('publish')(published, candidate, mart)) }}
{%- endmacro %}

{% macro default__publish(published, candidate, mart) -%}
    {%- set columns, key = mart.columns.keys() | list, primary_key(mart) -%}
    {%- if load_cached_relation(published) is none or should_full_refresh() or not has_same_columns(published, candidate) -%}
        {%- do replace_table(published, candidate, mart) -%}
    {%- elif key -%}
        {{ publish_by_key(published, candidate, columns, key) }}
    {%- else -%}
        {{ publish_without_key(published, candidate, columns) }}
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

{# Deletes, updates and inserts rows. Rows that changed are updated in place, since rows of other tables may refer to them. #}
{% macro publish_by_key(published, candidate, columns, key) -%}
    {%- set values = columns | reject('in', key) | list -%}
    {%- set same_key = '(published.' ~ key | join(', published.') ~ ') = (candidate.' ~ key | join(', candidate.') ~ ')' -%}
    {%- call statement('delete') %}
        delete from {{ published }} as published
        where not exists (select 1 from {{ candidate }} as candidate where {{ same_key }})
    {%- endcall -%}
    {%- if values -%}
    {%- call statement('update') %}
        update {{ published }} as published
        set {% for value in values %}{{ value }} = changed.{{ value }}{{ ', ' if not loop.last }}{% endfor %}
        from (
            select {{ columns | join(', ') }} from {{ candidate }}
            except
            select {{ columns | join(', ') }} from {{ published }}
        ) as changed
        where (published.{{ key | join(', published.') }}) = (changed.{{ key | join(', changed.') }})
    {%- endcall -%}
    {%- endif -%}
    {%- call statement('insert') %}
        insert into {{ published }} ({{ columns | join(', ') }})
        select {{ columns | join(', ') }} from {{ candidate }} as candidate
        where not exists (select 1 from {{ published }} as published where {{ same_key }})
    {%- endcall -%}
{%- endmacro %}

{# Replaces all rows if any differs, since equal rows cannot be told apart. #}
{% macro publish_without_key(published, candidate, columns) -%}
    {%- set new, old = 'select ' ~ columns | join(', ') ~ ' from ' ~ candidate, 'select ' ~ columns | join(', ') ~ ' from ' ~ published -%}
    {%- call statement('delete') %}
        delete from {{ published }}
        where exists ({{ old }} except all {{ new }}) or exists ({{ new }} except all {{ old }})
    {%- endcall -%}
    {%- call statement('insert') %}
        insert into {{ published }} ({{ columns | join(', ') }})
        {{ new }}
        where not exists (select 1 from {{ published }})
    {%- endcall -%}
{%- endmacro %}
