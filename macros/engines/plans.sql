{#
    Belongs at the end of a query whose columns are used more than once: without it, Postgres would parse each cell again for
    every use. It does nothing on engines that reuse what they have computed.

    In:  evaluate_once()        Out: offset bigint '0'

    (An offset of type integer, which a plain 0 is, would keep the query from running in parallel.)
#}
{% macro evaluate_once() -%}
    {{ return(adapter.dispatch('evaluate_once')()) }}
{%- endmacro %}

{% macro default__evaluate_once() -%}
{%- endmacro %}

{% macro postgres__evaluate_once() -%}
offset bigint '0'  -- noqa: AM09
{%- endmacro %}

{#
    Belongs after the "as" of a common table expression that is read twice. Without it, Postgres writes all its rows to disk
    and reads them with one process.

    In:  users as {{ not_materialized() }} (select ...)       Out: users as not materialized (select ...)
#}
{% macro not_materialized() -%}
    {{ return(adapter.dispatch('not_materialized')()) }}
{%- endmacro %}

{% macro default__not_materialized() -%}
not materialized
{%- endmacro %}

{% macro spark__not_materialized() -%}
{%- endmacro %}

{#
    Statements that tune the transaction in which a model that reads whole files is built; empty on engines that need none.

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
set local parallel_tuple_cost = 0.01;
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
