{#
    dbt's list of the columns and constraints of a contract, for the statement that creates the table: the types are
    written as Postgres has them, and get the engine's names here.
#}
{% macro duckdb__get_table_columns_and_constraints() -%}
    {%- set definitions = adapter.render_raw_columns_constraints(raw_columns=columns_of_engine(model['columns']))
        + adapter.render_raw_model_constraints(raw_constraints=model['constraints']) -%}
    ({{ definitions | join(', ') }})
{%- endmacro %}
