{#
    Statements that fit the session to the models that read whole files, for as long as one model is built;
    nothing on engines that need none.

    In:  session_settings()      Out: set local work_mem = '256MB'; ...
#}
{% macro session_settings() -%}
    {{ return(adapter.dispatch('session_settings')()) }}
{%- endmacro %}

{% macro default__session_settings() -%}
{%- endmacro %}

{#
    Sorts and hashes of some million rows stay in memory, and what is not used is not taken. Statements are run once, so
    compiling them takes longer than it saves.
#}
{% macro postgres__session_settings() -%}
set local work_mem = '256MB';
set local jit = off;
set local parallel_setup_cost = 0;
set local parallel_tuple_cost = 0.01
{%- endmacro %}
