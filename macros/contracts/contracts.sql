{#
    The columns of a contract, with the names that the engine has for their types.

    Arguments: columns, as a node of dbt's graph has them: a dict of name to properties.
#}
{% macro columns_of_engine(columns) -%}
    {%- set translated = {} -%}
    {%- for name, column in columns.items() -%}
        {%- do translated.update({name: dict(column, data_type=data_type(column['data_type']))}) -%}
    {%- endfor -%}
    {{ return(translated) }}
{%- endmacro %}

{#
    dbt's query for the columns of a contract, by which it compares their types with those of a model: the types are
    written as Postgres has them, and get the engine's names here.
#}
{% macro duckdb__get_empty_schema_sql(columns) -%}
    {{ return(default__get_empty_schema_sql(columns_of_engine(columns))) }}
{%- endmacro %}

{% macro spark__get_empty_schema_sql(columns) -%}
    {{ return(default__get_empty_schema_sql(columns_of_engine(columns))) }}
{%- endmacro %}

{# Spark has no grants; dbt's statement for them would be an error. #}
{% macro spark__apply_grants(relation, grant_config, should_revoke=True) -%}
{%- endmacro %}
