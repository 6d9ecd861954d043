{#
    dbt's `safe_cast`, with which unit tests write their rows, for lists as well: a list of YAML, such as `[1, null]`, is
    one of the engine. (Postgres calls the type of any list ARRAY here; all lists of this project are of bigint.)
#}
{% macro default__safe_cast(field, type) -%}
cast({{ list_literal(field) if field is sequence and field is not string else field }} as {{ 'bigint[]' if type == 'ARRAY' else type }})
{%- endmacro %}

{% macro spark__safe_cast(field, type) -%}
{{ default__safe_cast(field, type) }}
{%- endmacro %}
