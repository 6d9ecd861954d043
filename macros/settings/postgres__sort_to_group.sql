{# `sort_to_group` on Postgres. #}
{% macro postgres__sort_to_group() -%}
set local enable_hashagg = off
{%- endmacro %}
