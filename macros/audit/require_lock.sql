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
        {%- if run_query(modules.current_run.lock_query).rows | length == 0 -%}
            {%- do exceptions.raise_compiler_error(modules.current_run.LOCK_LOST) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
