{#
    Stops a model if the run has lost its lock, for example because its connection was cut: another run may be building by
    then. It is a hook that adds no statement, and does nothing on engines without the lock.
#}
{% macro require_lock() -%}
    {{ return(adapter.dispatch('require_lock')()) }}
{%- endmacro %}

{% macro default__require_lock() -%}
{%- endmacro %}

{% macro postgres__require_lock() -%}
    {%- if execute and modules.current_run -%}
        {%- set held = run_query(
            "select 1 as held from pg_locks where locktype = 'advisory' and granted and pid = " ~ modules.current_run.backend
        ).rows -%}
        {%- if held | length == 0 -%}
            {%- do exceptions.raise_compiler_error(
                'The connection that holds the lock was cut, so the run stops here; start it again.'
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
