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
