-- What the check constraints of user_features hold on Postgres and DuckDB, for engines without constraints too.
with

user_features as (

    select * from {{ ref('int_user_features') }}

)

select
    user_id,
    total_experiments,
    distinct_compounds
from user_features
where
    total_experiments < 0
    or distinct_compounds < 0
