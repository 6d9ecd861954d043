-- What the check constraint of experiment_summary holds on Postgres and DuckDB, for engines without constraints too.
with

experiment_summary as (

    select * from {{ ref('experiment_summary') }}

)

select
    users,
    users_with_experiments
from experiment_summary
where users_with_experiments > users
