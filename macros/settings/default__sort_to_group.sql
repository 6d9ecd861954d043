{# `sort_to_group` on engines that need no such hint. #}
{% macro default__sort_to_group() -%}
{%- endmacro %}
