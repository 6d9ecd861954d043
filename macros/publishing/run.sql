{#
    The id of the run: FEATURES_RUN_ID if it is set, which joins the commands of a scheduler that runs one node per process
    into one run; otherwise dbt's invocation id.
#}
{% macro run_id() -%}
    {{ return(env_var('FEATURES_RUN_ID', '') or invocation_id) }}
{%- endmacro %}

{#
    Who started the run: the value of FEATURES_STARTED_BY, otherwise the shell's user.
#}
{% macro started_by() -%}
    {{ return(modules.started_by() if modules.started_by else env_var('FEATURES_STARTED_BY', '')) }}
{%- endmacro %}
