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

{#
    Lets Postgres group by sorting only, for as long as one model is built, where groups are about as many
    as rows: it sorts many million numbers in a third of the time that it takes to hash them. Nothing on
    other engines.

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
    Tells the planner what is in tables that were just filled, for the models after them; nothing on engines
    that need no telling. Without it, Postgres takes a table for half as large or for empty, which it may plan
    to read once for each row of another.

    Arguments: relations, the tables; by default the one that is being built.

    In:  collect_statistics([this, ref('users')])
    Out: analyze "postgres"."features_staging"."stg_users", "postgres"."features_raw"."users"
#}
{% macro collect_statistics(relations=[this]) -%}
    {{ return(adapter.dispatch('collect_statistics')(relations)) }}
{%- endmacro %}

{% macro default__collect_statistics(relations) -%}
{%- endmacro %}

{% macro postgres__collect_statistics(relations) -%}
analyze {{ relations | join(', ') }}
{%- endmacro %}
