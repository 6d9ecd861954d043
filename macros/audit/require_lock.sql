{#
    Stops a model where the run has lost its lock, as when its connection was cut, so that it publishes nothing while
    another run may be at work. A hook: it adds no statement. Nothing on engines without the lock.
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
                'The connection that keeps other runs away was cut, so nothing more is done; start the run again.'
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
