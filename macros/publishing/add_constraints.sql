{#
    Adds the constraints of a contract to a table, if the engine has constraints: Postgres then rejects violations.

    Arguments: relation, the table; mart, the node in dbt's graph that has the contract.

    Constraints are added after the rows: an `insert` into a table with constraints would not run in parallel on Postgres.
#}
{% macro add_constraints(relation, mart) -%}
    {{ return(adapter.dispatch('add_constraints')(relation, mart)) }}
{%- endmacro %}

{% macro default__add_constraints(relation, mart) -%}
{%- endmacro %}

{% macro postgres__add_constraints(relation, mart) -%}
    {%- set changes = [] -%}
    {%- for column in mart.columns.values() -%}
        {%- for constraint in column.constraints if constraint.type == 'not_null' -%}
            {%- do changes.append('alter ' ~ column.name ~ ' set not null') -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for constraint in adapter.render_raw_model_constraints(raw_constraints=table_constraints(mart)) -%}
        {%- do changes.append('add ' ~ constraint) -%}
    {%- endfor -%}
    {%- do run_query('alter table ' ~ relation ~ ' ' ~ changes | join(', ')) if changes -%}
{%- endmacro %}
