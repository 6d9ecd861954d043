{#
    Prints the last runs of the run log, newest first.

    Arguments: limit, the maximum number of runs to print.
#}
{% macro show_runs(limit=10) -%}
    {{ return(adapter.dispatch('show_runs')(limit)) }}
{%- endmacro %}

{% macro default__show_runs(limit) -%}
    {%- do exceptions.raise_compiler_error('This engine has no run log; only Postgres has one.') -%}
{%- endmacro %}

{% macro postgres__show_runs(limit) -%}
    {%- set runs = audit_relation('runs') -%}
    {%- if adapter.get_relation(runs.database, runs.schema, runs.identifier) is none -%}
        {%- do exceptions.raise_compiler_error('There is no run yet; start the first one with `make run`.') -%}
    {%- endif -%}
    {%- set last_runs -%}
with

runs as (

    select * from {{ runs }}

),

run_files as (

    select * from {{ audit_relation('run_files') }}

),

rows_per_run as (

    select
        run_id,
        sum(rows_read) as rows_read,
        sum(rows_rejected) as rows_rejected,
        max(rows_published) filter (where file = 'users.csv') as users_published
    from run_files
    group by run_id

)

select
    to_char(runs.started at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as started_utc,
    round(extract(epoch from runs.finished - runs.started), 1) as seconds,
    runs.command,
    runs.started_by,
    runs.status,
    rows_per_run.rows_read,
    rows_per_run.rows_rejected,
    rows_per_run.users_published,
    runs.id
from runs
left join rows_per_run on runs.id = rows_per_run.run_id
order by runs.started desc
limit {{ limit | int }}
    {%- endset -%}
    {%- do run_query(last_runs).print_table(max_rows=none, max_columns=none, max_column_width=none) -%}
{%- endmacro %}
