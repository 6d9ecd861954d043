{#
    The time that dbt writes into a snapshot, with its time zone: dbt's own has none, so that the server's settings
    and the end of summer time would decide what "the 1st of March" means.
#}
{% macro postgres__snapshot_get_time() -%}
now()
{%- endmacro %}
