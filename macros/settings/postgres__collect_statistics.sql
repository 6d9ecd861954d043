{# `collect_statistics` on Postgres. #}
{% macro postgres__collect_statistics() -%}
analyze {{ this }}
{%- endmacro %}
