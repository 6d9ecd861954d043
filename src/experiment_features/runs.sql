-- The statements of runs.py, each below its name; {audit} and {staging} are the schemas of the run log and of the staging models.

-- name: create_log
-- A role that may not create schemas may use one that its owner has created.
do $$ begin if to_regnamespace('{audit}') is null then create schema {audit}; end if; end $$;

create table if not exists {audit}.runs (
    id text primary key,
    command text not null,
    started_by text not null,
    started timestamptz not null default clock_timestamp(),
    finished timestamptz,
    status text not null default 'running',
    message text,
    nodes bigint,
    causes text[] not null default '{{}}',
    check (status in ('running', 'succeeded', 'failed', 'cancelled', 'interrupted')),
    check ((status = 'running') = (finished is null))
);

-- For logs of versions that did not have these columns.
alter table {audit}.runs add column if not exists nodes bigint;
alter table {audit}.runs add column if not exists causes text[] not null default '{{}}';

create table if not exists {audit}.run_files (
    run_id text not null references {audit}.runs,
    file text not null,
    size_bytes bigint,
    modified timestamptz,
    sha256 text,
    loaded timestamptz,
    rows_read bigint,
    rows_published bigint,
    rows_rejected bigint,
    primary key (run_id, file)
);

create table if not exists {audit}.run_nodes (
    run_id text not null references {audit}.runs,
    node text not null,
    status text not null,
    seconds double precision not null,
    rows bigint,
    message text,
    primary key (run_id, node)
);

-- In the order in which nodes ended, whatever the clock says.
alter table {audit}.run_nodes add column if not exists number bigint generated always as identity;
create index if not exists run_nodes_node_number on {audit}.run_nodes (node, number);

-- name: has_log
select 1
from pg_class
inner join pg_attribute on attrelid = pg_class.oid
where
    relnamespace = to_regnamespace(quote_ident(%s))
    and (relname, attname) in (('runs', 'causes'), ('run_files', 'run_id'), ('run_nodes', 'number'))
having count(*) = 3

-- name: keep_alive
-- A host that is gone is noticed in about a minute, where the server would wait for hours by default.
set tcp_keepalives_idle = 30; set tcp_keepalives_interval = 10; set tcp_keepalives_count = 3

-- name: rights
select
    pg_backend_pid(), current_user, current_database(), getdatabaseencoding(),
    case when pg_is_in_recovery() then 'it is in recovery' when current_setting('transaction_read_only') = 'on' then 'its default_transaction_read_only is on' end,
    has_database_privilege(current_database(), 'create')
    or not exists (
        select from unnest(%s::text[]) as needed (name)
        where not exists (select from pg_namespace where nspname = needed.name)
    ),
    array(
        select array[nspname, name]
        from unnest(%s::text[]) as needed (name)
        inner join pg_namespace on lower(nspname) = lower(name) and nspname <> name
        order by name
    )

-- name: ping
select 1

-- name: set_name
select set_config('application_name', %s, false)

-- name: try_lock
select pg_try_advisory_lock(%s)

-- name: lock_holder
-- Who has the lock whose key is the parameter.
select pid, application_name
from pg_stat_activity
where pid in (
    select pid
    from pg_locks
    where
        locktype = 'advisory' and granted and classid::bigint << 32 | objid::bigint = %s
        and database = (select oid from pg_database where datname = current_database())
)

-- name: unfinished_runs
select id, command, started_by, to_char(started at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')
from {audit}.runs
where finished is null

-- name: end_others
select pid, usename, case when pg_has_role(usesysid, 'MEMBER') then pg_terminate_backend(pid, 1000) end
from pg_stat_activity
where application_name = %s and datname = current_database()

-- name: admit
-- A row if the server process still has the lock, under the name of the run: another one may have the same number by now.
select set_config('client_connection_check_interval', '1000', false)
from pg_stat_activity
where
    pid = %s and application_name = %s
    and pid in (select pid from pg_locks where locktype = 'advisory' and granted and classid::bigint << 32 | objid::bigint = %s)
    and datname = current_database()

-- name: close_killed_runs
update {audit}.runs
set status = 'interrupted', finished = clock_timestamp(), message = 'The process ended before the run did.'
where finished is null

-- name: run_between
select run_id
from {audit}.run_nodes
where number > (select max(number) from {audit}.run_nodes where run_id = %s)
order by number
limit 1

-- name: begin_run
insert into {audit}.runs (id, command, started_by, nodes) values (%s, %s, %s, %s)
on conflict (id) do update set
    command = excluded.command, status = 'running', finished = null, message = null, nodes = runs.nodes + excluded.nodes

-- name: give_up
insert into {audit}.runs (id, command, started_by, nodes, started, finished, status, message)
values (%s, %s, %s, %s, clock_timestamp() - make_interval(secs => %s), clock_timestamp(), %s, %s)
on conflict (id) do update set status = excluded.status, message = excluded.message where runs.finished is not null

-- name: add_nodes
-- A node may be built again in a later command of the same run.
insert into {audit}.run_nodes (run_id, node, status, seconds, rows, message)
select %s, *
from json_to_recordset(%s) as nodes (node text, status text, seconds double precision, rows bigint, message text)
on conflict (run_id, node) do update set
    status = excluded.status, seconds = excluded.seconds, rows = excluded.rows, message = excluded.message, number = default

-- name: add_files
insert into {audit}.run_files (run_id, file, rows_read, rows_published, rows_rejected)
select %s, file, rows_read, case when %s then rows_accepted else 0 end, rows_rejected
from {staging}.int_rows_per_file
on conflict (run_id, file) do update set
    rows_read = excluded.rows_read, rows_published = excluded.rows_published, rows_rejected = excluded.rows_rejected

-- name: end_run
update {audit}.runs
set status = %s, message = %s, causes = coalesce(%s::text[], causes), finished = clock_timestamp()
where id = %s
