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

{#
    The time of a publication: the current time, or just after the last publication if the clock has been set back since. A
    state of the history would otherwise end before it begins.

    Arguments: publications, the table with one row per publication.
#}
{% macro publication_time(publications) -%}
greatest(current_timestamp, (select max(published_at) + interval '1 microsecond' from {{ publications }}))
{%- endmacro %}
