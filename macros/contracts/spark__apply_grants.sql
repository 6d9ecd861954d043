{# Spark has no grants; dbt's statement for them would be an error. #}
{% macro spark__apply_grants(relation, grant_config, should_revoke=True) -%}
{%- endmacro %}
