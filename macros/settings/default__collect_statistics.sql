{# `collect_statistics` on engines that need none. #}
{% macro default__collect_statistics() -%}
{%- endmacro %}
