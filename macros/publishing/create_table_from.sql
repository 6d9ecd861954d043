{#
    The statement that creates a table from a query.

    Arguments: relation, the table; query.
#}
{% macro create_table_from(relation, query) -%}
    {{ return(adapter.dispatch('create_table_from')(relation, query)) }}
{%- endmacro %}

{% macro default__create_table_from(relation, query) -%}
create table {{ relation }} as {{ query }}
{%- endmacro %}

{% macro spark__create_table_from(relation, query) -%}
create table {{ relation }} using parquet as {{ query }}
{%- endmacro %}
