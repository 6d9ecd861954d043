"""The features of every user with SQL in DuckDB, in memory, written to the table duckdb_user_features.

``python duckdb_script.py FOLDER``; PGHOST and the other PG variables name the server. DuckDB's own extension for
Postgres is not part of its package and would have to be downloaded, so the result is sent by COPY.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import duckdb
import psycopg2

# From each file, the rows whose ids are whole numbers, and of each id only the first row.
READ_FILES = """
create table users as
select distinct on (user_id) user_id
from (select try_cast(user_id as bigint) as user_id from read_csv('{folder}/users.csv', all_varchar = true))
where user_id is not null;

create table compounds as
select distinct on (compound_id) compound_id, compound_name
from (
    select row_number() over () as row_number, try_cast(compound_id as bigint) as compound_id, compound_name
    from read_csv('{folder}/compounds.csv', all_varchar = true)
)
where compound_id is not null
order by row_number;

create table experiments as
select distinct on (experiment_id) experiment_id, user_id, experiment_compound_ids, experiment_run_time
from (
    select
        row_number() over () as row_number,
        try_cast(experiment_id as bigint) as experiment_id,
        try_cast(user_id as bigint) as user_id,
        experiment_compound_ids,
        try_cast(experiment_run_time as decimal(18, 2)) as experiment_run_time
    from read_csv('{folder}/user_experiments.csv', all_varchar = true)
)
where experiment_id is not null and user_id is not null
order by row_number;
"""

USER_FEATURES = """
with

known_experiments as (
    select
        experiment_id,
        user_id,
        experiment_compound_ids,
        case when experiment_run_time >= 0 then experiment_run_time end as experiment_run_time
    from experiments
    semi join users using (user_id)
),

experiments_per_user as (
    select
        user_id,
        count(*) as total_experiments,
        sum(experiment_run_time) / count(experiment_run_time) as avg_experiment_run_time,
        sum(experiment_run_time) as total_experiment_run_time
    from known_experiments
    group by user_id
),

entries as (
    select
        user_id,
        unnest(list_distinct(try_cast(string_split(experiment_compound_ids, ';') as bigint[]))) as compound_id
    from known_experiments
),

uses as (
    select user_id, compound_id, count(*) as experiments
    from entries
    semi join compounds using (compound_id)
    group by user_id, compound_id
),

compared_uses as (
    select
        *,
        count(*) over (partition by user_id) as distinct_compounds,
        max(experiments) over (partition by user_id) as most_experiments
    from uses
),

most_common_compounds as (
    select
        user_id,
        any_value(distinct_compounds) as distinct_compounds,
        min(compound_id) as most_common_compound_id,
        string_agg(compound_id, ';' order by compound_id) as most_common_compound_ids,
        any_value(most_experiments) as most_common_compound_experiments
    from compared_uses
    where experiments = most_experiments
    group by user_id
)

select
    users.user_id,
    coalesce(total_experiments, 0) as total_experiments,
    avg_experiment_run_time,
    case when total_experiments is null then 0 else total_experiment_run_time end as total_experiment_run_time,
    coalesce(distinct_compounds, 0) as distinct_compounds,
    most_common_compound_id,
    compound_name as most_common_compound_name,
    most_common_compound_ids,
    most_common_compound_experiments
from users
left join experiments_per_user using (user_id)
left join most_common_compounds using (user_id)
left join compounds on most_common_compound_id = compound_id
"""

RESULT_TABLE = """
drop table if exists duckdb_user_features;
create table duckdb_user_features (
    user_id bigint,
    total_experiments bigint,
    avg_experiment_run_time double precision,
    total_experiment_run_time numeric,
    distinct_compounds bigint,
    most_common_compound_id bigint,
    most_common_compound_name text,
    most_common_compound_ids text,
    most_common_compound_experiments bigint
)
"""


def main(folder: Path) -> None:
    connection = psycopg2.connect("")
    with duckdb.connect() as database, tempfile.TemporaryDirectory() as temporary:
        database.execute(READ_FILES.format(folder=folder))
        result = Path(temporary) / "features.csv"
        database.sql(USER_FEATURES).write_csv(str(result))
        with connection, connection.cursor() as cursor, open(result) as rows:
            cursor.execute(RESULT_TABLE)
            cursor.copy_expert("copy duckdb_user_features from stdin with (format csv, header)", rows)
    connection.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
