-- The run log, created by the first command that builds; {audit} is its schema.
create schema if not exists {audit};

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
