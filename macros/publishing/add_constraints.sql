{#
    Gives a table the constraints of a contract, where the engine holds constraints: Postgres then rejects what breaks
    them.

    Arguments: relation, the table; mart, the node in dbt's graph that has the contract.

    They are added to the rows, not the rows to them: `insert` would keep Postgres from running the query in parallel.
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
    {%- for constraint in adapter.render_raw_model_constraints(raw_constraints=mart.constraints) -%}
        {%- do changes.append('add ' ~ constraint) -%}
    {%- endfor -%}
    {%- do run_query('alter table ' ~ relation ~ ' ' ~ changes | join(', ')) if changes -%}
{%- endmacro %}
