{#
    The id of the run: FEATURES_RUN_ID where a program gives one, so that the commands of a scheduler that runs one
    node per process belong together; otherwise dbt's id of the invocation.
#}
{% macro run_id() -%}
    {{ return(env_var('FEATURES_RUN_ID', '') or invocation_id) }}
{%- endmacro %}

{#
    Who started the run: what FEATURES_STARTED_BY says, otherwise the user of the shell.
#}
{% macro started_by() -%}
    {{ return(modules.started_by() if modules.started_by else env_var('FEATURES_STARTED_BY', '')) }}
{%- endmacro %}
