{#
    Replaces dbt's macro on Postgres, which runs four statements for each relation. This one runs one.

    Arguments: as in dbt, but every described column has to exist.
#}
{% macro postgres__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- set statements = comments(relation, model) -%}
    {%- do run_query(statements) if statements -%}
{%- endmacro %}

{# The statements themselves. #}
{% macro comments(relation, model) -%}
    {%- if config.persist_relation_docs() and model.description -%}
        {{ alter_relation_comment(relation, model.description) }}
    {%- endif -%}
    {%- for name, column in model.columns.items() if config.persist_column_docs() -%}
        comment on column {{ relation }}.{{ adapter.quote(name) if column.quote else name }} is {{ postgres_escape_comment(column.description) }};
    {%- endfor -%}
{%- endmacro %}
