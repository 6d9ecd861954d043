{#
    The id of the run: dbt's invocation id, unless FEATURES_RUN_ID is set. A scheduler that runs each node in its own process
    sets it, to join its commands into one run.
#}
{% macro run_id() -%}
    {{ return(env_var('FEATURES_RUN_ID', '') or invocation_id) }}
{%- endmacro %}

{#
    Who started the run: the value of FEATURES_STARTED_BY, or else the operating-system user.
#}
{% macro started_by() -%}
    {{ return(modules.started_by() if modules.started_by else env_var('FEATURES_STARTED_BY', '')) }}
{%- endmacro %}
