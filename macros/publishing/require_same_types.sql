{#
    Stops a model if the type of a column in a table differs from its type in a contract. It does nothing on Spark.

    Arguments: relation and columns, as for prepare_table().
#}
{% macro require_same_types(relation, columns) -%}
    {{ return(adapter.dispatch('require_same_types')(relation, columns)) }}
{%- endmacro %}

{% macro spark__require_same_types(relation, columns) -%}
{%- endmacro %}

{% macro default__require_same_types(relation, columns) -%}
    {%- set wanted = [] -%}
    {%- for column in columns_of_engine(columns).values() -%}
        {%- do wanted.append('(' ~ text_literal(column.name | lower) ~ ', ' ~ type_name(column.data_type) ~ ')') -%}
    {%- endfor -%}
    {%- for column in run_query(
        'select name, type, found from (values ' ~ wanted | join(', ') ~ ') as wanted (name, type) '
        ~ 'inner join (' ~ types_of_columns(relation) ~ ') as existing (column_name, found) on column_name = name where found <> type'
    ).rows -%}
        {%- do exceptions.raise_compiler_error(
            'The column ' ~ column['name'] ~ ' is ' ~ column['type'] ~ ', but ' ~ column['found'] ~ ' in ' ~ relation.identifier
            ~ ', which might not hold its values; run `alter table ' ~ relation ~ ' alter ' ~ column['name'] ~ ' type '
            ~ column['type'] ~ ' using cast(' ~ column['name'] ~ ' as ' ~ column['type'] ~ ')`, or rename the table to begin a new one.'
        ) -%}
    {%- endfor -%}
{%- endmacro %}

{# The engine's own name for a type, as types_of_columns() gives it. #}
{% macro type_name(type) -%}
    {{ return(adapter.dispatch('type_name')(type)) }}
{%- endmacro %}

{% macro postgres__type_name(type) -%}
{{ text_literal(type) }}::regtype::text
{%- endmacro %}

{% macro default__type_name(type) -%}
typeof(cast(null as {{ type }}))
{%- endmacro %}

{# A query for the names and types of the columns of a table. #}
{% macro types_of_columns(relation) -%}
    {{ return(adapter.dispatch('types_of_columns')(relation)) }}
{%- endmacro %}

{% macro postgres__types_of_columns(relation) -%}
select attname, atttypid::regtype::text from pg_attribute where attrelid = {{ text_literal(relation | string) }}::regclass and attnum > 0
{%- endmacro %}

{% macro default__types_of_columns(relation) -%}
select lower(column_name), data_type
from information_schema.columns
where table_catalog = '{{ relation.database }}' and table_schema = '{{ relation.schema }}' and table_name = '{{ relation.identifier }}'
{%- endmacro %}
