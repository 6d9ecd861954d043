{#
    Statements that tune the session while a model that reads whole files is built. It does nothing on engines
    that need none.

    In:  session_settings()      Out: set local work_mem = '256MB'; ...
#}
{% macro session_settings() -%}
    {{ return(adapter.dispatch('session_settings')()) }}
{%- endmacro %}

{% macro default__session_settings() -%}
{%- endmacro %}

{#
    Sorts and hashes of a few million rows stay in memory; memory that is not needed is not allocated. Each statement runs
    once, so compiling it takes longer than it saves.
#}
{% macro postgres__session_settings() -%}
set local work_mem = '256MB';
set local jit = off;
set local parallel_setup_cost = 0;
set local parallel_tuple_cost = 0.01
{%- endmacro %}

{#
    Makes Postgres group only by sorting, while a model with about as many groups as rows is built: it sorts many millions of
    numbers in a third of the time it takes to hash them. It does nothing on other engines.

    In:  sort_to_group()        Out: set local enable_hashagg = off
#}
{% macro sort_to_group() -%}
    {{ return(adapter.dispatch('sort_to_group')()) }}
{%- endmacro %}

{% macro default__sort_to_group() -%}
{%- endmacro %}

{% macro postgres__sort_to_group() -%}
set local enable_hashagg = off
{%- endmacro %}

{#
    Collects planner statistics of the table being built, for the models after it. Without them, Postgres assumes that it is half as
    large, or empty, and may plan to read it once for each row of another. It does nothing on engines that need no statistics.

    In:  collect_statistics()      Out: analyze "postgres"."features_staging"."int_users"
#}
{% macro collect_statistics() -%}
    {{ return(adapter.dispatch('collect_statistics')()) }}
{%- endmacro %}

{% macro default__collect_statistics() -%}
{%- endmacro %}

{% macro postgres__collect_statistics() -%}
analyze {{ this }}
{%- endmacro %}
