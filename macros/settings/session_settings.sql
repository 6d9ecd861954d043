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
    `session_settings` on Postgres:
      work_mem                       sorts and hashes of some million rows stay in memory; what is not used
                                     is not taken, so that small input costs nothing
      parallel_setup_cost and
      parallel_tuple_cost            a table is typed by all workers and written by the leader, which
                                     Postgres takes for too dear: by default it counts for each row that a
                                     worker hands over a tenth of what it counts for a page
      enable_memoize                 a cache of lists taken apart would be looked up for every experiment,
                                     and lists are too different for that
      enable_mergejoin               nearly all joins look rows up in a small table of what is wrong; Postgres
                                     does not know yet how small, and would sort all rows to meet it
      jit                            the statements are run once, and compiling takes longer than it saves
#}
{% macro postgres__session_settings() -%}
set local work_mem = '256MB';
set local parallel_setup_cost = 0;
set local parallel_tuple_cost = 0.01;
set local enable_memoize = off;
set local enable_mergejoin = off;
set local jit = off
{%- endmacro %}
