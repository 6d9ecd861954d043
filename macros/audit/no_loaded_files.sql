{#
    The query of loaded_files() where nothing is recorded.
#}
{% macro no_loaded_files() -%}
    select
        cast(null as {{ data_type('text') }}) as file,
        cast(null as bigint) as size_bytes,
        cast(null as {{ data_type('text') }}) as sha256,
        cast(null as {{ data_type('text') }}) as run_id,
        cast(null as timestamp) as loaded
    where false
{%- endmacro %}
