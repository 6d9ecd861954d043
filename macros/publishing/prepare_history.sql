{#
    Makes the table of the history, and the columns that it lacks, for `record_published_states`; stops where a column
    has another type there, to which Postgres might round the values. Nothing on other engines than Postgres.

    A hook, before the table is made: once that is replaced, a reader of both could not wait for a change of the
    history. What is done here is undone where the table cannot be made.
#}
{% macro prepare_history() -%}
    {{ return(adapter.dispatch('prepare_history')()) }}
{%- endmacro %}

{% macro default__prepare_history() -%}
{%- endmacro %}

{% macro postgres__prepare_history() -%}
    {%- if execute -%}
        {%- set history = history_relation() -%}
        {%- set definitions, wanted = [], [] -%}
        {%- for column in model.columns.values() -%}
            {%- do definitions.append(column.name ~ ' ' ~ column.data_type) -%}
            {%- do wanted.append('(' ~ text_literal(column.name) ~ ', ' ~ text_literal(column.data_type) ~ '::regtype)') -%}
        {%- endfor -%}
        {%- if load_cached_relation(history) is none -%}
            {%- do run_query(
                'create table ' ~ history ~ ' (' ~ definitions | join(', ')
                ~ ', state_id text, recorded timestamptz, valid_from timestamptz, valid_to timestamptz)'
            ) -%}
            {%- do adapter.cache_added(history) -%}
        {%- endif -%}
        {%- for column in run_query(
            'select name, type::text as type, atttypid::regtype::text as found '
            ~ 'from (values ' ~ wanted | join(', ') ~ ') as wanted (name, type) '
            ~ 'left join pg_attribute on attrelid = ' ~ text_literal(history) ~ '::regclass and attname = name '
            ~ 'where atttypid is distinct from type'
        ).rows -%}
            {%- if column['found'] -%}
                {%- do exceptions.raise_compiler_error(
                    'The column ' ~ column['name'] ~ ' is ' ~ column['type'] ~ ', and ' ~ column['found']
                    ~ ' in the history, which would not keep its values; run `alter table ' ~ history ~ ' alter '
                    ~ column['name'] ~ ' type ' ~ column['type'] ~ '`, or rename the history to begin a new one.'
                ) -%}
            {%- endif -%}
            {%- do run_query('alter table ' ~ history ~ ' add column ' ~ column['name'] ~ ' ' ~ column['type']) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
