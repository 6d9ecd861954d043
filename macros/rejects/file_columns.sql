{#
    The columns of a file's raw table; an empty list if the file is not loaded yet.

    In:  file_columns('users.csv')      Out: ['user_id', 'name', 'email', 'signup_date']

    Arguments: file, its name.

    They are read from the database, since unit tests do not know dbt's graph.
#}
{% macro file_columns(file) -%}
    {%- set raw = load_cached_relation(
        api.Relation.create(database=model.database or none, schema=target.schema ~ '_raw', identifier=file | replace('.csv', ''))
    ) if execute else none -%}
    {%- set columns = column_names(raw) if raw else [] -%}
    {{ return(columns | reject('in', ['row_number', 'row_fault', 'row_text']) | list) }}
{%- endmacro %}
