{#
    Who started the run: what FEATURES_STARTED_BY says, otherwise the user of the shell.
#}
{% macro started_by() -%}
    {{ return(modules.started_by() if modules.started_by else env_var('FEATURES_STARTED_BY', '')) }}
{%- endmacro %}
