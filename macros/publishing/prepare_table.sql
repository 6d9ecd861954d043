{#
    Creates a table that keeps its rows from run to run, or adds the columns it lacks. Stops the model if an existing column
    has a different type, since the engine might round its values.

    Arguments: relation, the table; columns, a dict of name to properties, as in a node of dbt's graph.
#}
{% macro prepare_table(relation, columns) -%}
    {%- set definitions = [] -%}
    {%- for column in columns_of_engine(columns).values() -%}
        {%- do definitions.append(column.name ~ ' ' ~ column.data_type) -%}
    {%- endfor -%}
    {%- if load_cached_relation(relation) is none -%}
        {%- do run_query('create table ' ~ relation ~ ' (' ~ definitions | join(', ') ~ ')') -%}
        {%- do adapter.cache_added(relation) -%}
    {%- else -%}
        {%- set existing = column_names(relation) -%}
        {%- for definition in definitions if definition.split(' ')[0] | lower not in existing -%}
            {%- do run_query('alter table ' ~ relation ~ ' add column ' ~ definition) -%}
        {%- endfor -%}
        {%- do require_same_types(relation, columns) -%}
    {%- endif -%}
{%- endmacro %}
