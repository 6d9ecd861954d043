{#
    The columns of a contract, with the engine's names for their types.

    Arguments: columns, a dict of name to properties, as in a node of dbt's graph.
#}
{% macro columns_of_engine(columns) -%}
    {%- set translated = {} -%}
    {%- for name, column in columns.items() -%}
        {%- do translated.update({name: dict(column, data_type=data_type(column['data_type']))}) -%}
    {%- endfor -%}
    {{ return(translated) }}
{%- endmacro %}

{#
    dbt's query for the columns of a contract, which it uses to compare their types with those of a model. Contracts use
    the Postgres names of types; this macro translates them.
#}
{% macro duckdb__get_empty_schema_sql(columns) -%}
    {{ return(default__get_empty_schema_sql(columns_of_engine(columns))) }}
{%- endmacro %}

{% macro spark__get_empty_schema_sql(columns) -%}
    {{ return(default__get_empty_schema_sql(columns_of_engine(columns))) }}
{%- endmacro %}

{# Spark has no grants, and dbt's statement for them would fail. #}
{% macro spark__apply_grants(relation, grant_config, should_revoke=True) -%}
{%- endmacro %}

{#
    The columns of the primary key in a model's contract; an empty list if it has no primary key.

    In:  primary_key(model)      Out: ['user_id']
#}
{% macro primary_key(model) -%}
    {%- for constraint in table_constraints(model) if constraint.type == 'primary_key' -%}
        {{ return(constraint.columns) }}
    {%- endfor -%}
    {{ return([]) }}
{%- endmacro %}

{#
    The constraints in a model's contract, except `not_null`: those of the model and, in the same form, those of its columns.

    Arguments: model, a node in dbt's graph.
#}
{% macro table_constraints(model) -%}
    {%- set found = model.constraints | list -%}
    {%- for column in model.columns.values() -%}
        {%- for constraint in column.constraints if constraint.type != 'not_null' -%}
            {%- do found.append(dict(constraint, columns=[column.name])) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
