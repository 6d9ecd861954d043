{#
    Stops a model if the type of a column in a table differs from its type in a contract. It does nothing except on Postgres.

    Arguments: relation and columns, as for prepare_table().
#}
{% macro require_same_types(relation, columns) -%}
    {{ return(adapter.dispatch('require_same_types')(relation, columns)) }}
{%- endmacro %}

{% macro default__require_same_types(relation, columns) -%}
{%- endmacro %}

{% macro postgres__require_same_types(relation, columns) -%}
    {%- set wanted = [] -%}
    {%- for column in columns.values() -%}
        {%- do wanted.append('(' ~ text_literal(column.name) ~ ', ' ~ text_literal(column.data_type) ~ '::regtype)') -%}
    {%- endfor -%}
    {%- for column in run_query(
        'select name, type::text as type, atttypid::regtype::text as found '
        ~ 'from (values ' ~ wanted | join(', ') ~ ') as wanted (name, type) '
        ~ 'inner join pg_attribute on attrelid = ' ~ text_literal(relation | string) ~ '::regclass and attname = name '
        ~ 'where atttypid <> type'
    ).rows -%}
        {%- do exceptions.raise_compiler_error(
            'The column ' ~ column['name'] ~ ' is ' ~ column['type'] ~ ', but ' ~ column['found'] ~ ' in ' ~ relation.identifier
            ~ ', which might not hold its values; run `alter table ' ~ relation ~ ' alter ' ~ column['name'] ~ ' type '
            ~ column['type'] ~ '`, or rename the table to begin a new one.'
        ) -%}
    {%- endfor -%}
{%- endmacro %}
