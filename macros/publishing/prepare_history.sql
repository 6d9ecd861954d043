{#
    Makes the table of the history, and the columns that it lacks, for `record_published_states`. A hook, before the
    table is made: once that is replaced, a reader of both could not wait for a change of the history. What is done
    here is undone where the table cannot be made. Nothing on other engines than Postgres.
#}
{% macro prepare_history() -%}
    {{ return(adapter.dispatch('prepare_history')()) }}
{%- endmacro %}

{% macro default__prepare_history() -%}
{%- endmacro %}

{% macro postgres__prepare_history() -%}
    {%- if execute -%}
        {%- set history = history_relation() -%}
        {%- set is_there = load_cached_relation(history) is not none -%}
        {%- set names = adapter.get_columns_in_relation(history) | map(attribute='name') | list if is_there else [] -%}
        {%- set missing = [] -%}
        {%- for column in model.columns.values() if column.name not in names -%}
            {%- do missing.append(column.name ~ ' ' ~ column.data_type) -%}
        {%- endfor -%}
        {%- if not is_there -%}
            {%- do run_query(
                'create table ' ~ history ~ ' (' ~ missing | join(', ')
                ~ ', state_id text, recorded timestamptz, valid_from timestamptz, valid_to timestamptz)'
            ) -%}
            {%- do adapter.cache_added(history) -%}
        {%- elif missing -%}
            {%- do run_query('alter table ' ~ history ~ ' add column ' ~ missing | join(', add column ')) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
