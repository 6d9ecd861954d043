{#
    Tells the planner what is in tables that were just filled, for the models after them; nothing on engines
    that need no telling. Without it, Postgres takes a table for half as large or for empty, which it may plan
    to read once for each row of another.

    Arguments: relations, the tables; by default the one that is being built.

    In:  collect_statistics([this, ref('users')])
    Out: analyze "postgres"."features_staging"."stg_users", "postgres"."features_raw"."users"
#}
{% macro collect_statistics(relations=[this]) -%}
    {{ return(adapter.dispatch('collect_statistics')(relations)) }}
{%- endmacro %}

{% macro default__collect_statistics(relations) -%}
{%- endmacro %}

{% macro postgres__collect_statistics(relations) -%}
analyze {{ relations | join(', ') }}
{%- endmacro %}
