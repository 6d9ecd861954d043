{#
    Statements that fit the session to the models that read whole files, for as long as one model is built;
    nothing on engines that need none.

    In:  session_settings()      Out: set local work_mem = '256MB'; ...
#}
{% macro session_settings() -%}
    {{ return(adapter.dispatch('session_settings')()) }}
{%- endmacro %}
