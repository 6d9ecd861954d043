{# `session_settings` on engines that need none. #}
{% macro default__session_settings() -%}
{%- endmacro %}
