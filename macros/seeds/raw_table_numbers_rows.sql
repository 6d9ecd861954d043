{#
    Whether a raw table numbers its rows itself, where the engine's way of loading needs it: true or false.
#}
{% macro raw_table_numbers_rows(relation) -%}
    {{ return(adapter.dispatch('raw_table_numbers_rows')(relation)) }}
{%- endmacro %}

{% macro default__raw_table_numbers_rows(relation) -%}
    {{ return(true) }}
{%- endmacro %}

{% macro postgres__raw_table_numbers_rows(relation) -%}
    {%- set identity_query = "select attidentity <> '' as is_identity from pg_attribute where attname = 'row_number'"
        ~ " and attrelid = to_regclass('" ~ (relation | string | replace("'", "''")) ~ "')" -%}
    {{ return(run_query(identity_query).rows[0]['is_identity']) }}
{%- endmacro %}
