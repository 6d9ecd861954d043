{#
    Tells the planner what is in a table that was just built, for the models after it; nothing on engines
    that need no telling.

    In:  collect_statistics()       Out: analyze "postgres"."features_staging"."base_experiments"
#}
{% macro collect_statistics() -%}
    {{ return(adapter.dispatch('collect_statistics')()) }}
{%- endmacro %}

{% macro default__collect_statistics() -%}
{%- endmacro %}

{% macro postgres__collect_statistics() -%}
analyze {{ this }}
{%- endmacro %}
