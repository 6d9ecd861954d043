-- The features of all users add up to the experiments and run time in staging.
with

user_features as (

    select * from {{ ref('user_features') }}

),

experiments as (

    select * from {{ ref('int_experiments') }}

),

feature_totals as (

    select
        coalesce(sum(total_experiments), 0) as experiments,
        coalesce(sum(total_experiment_run_time), 0) as run_time
    from user_features

),

staging_totals as (

    select
        count(*) as experiments,
        coalesce(sum(experiment_run_time), 0) as run_time
    from experiments

)

select
    feature_totals.experiments,
    staging_totals.experiments as staging_experiments,
    feature_totals.run_time,
    staging_totals.run_time as staging_run_time
from feature_totals
cross join staging_totals
where
    (
        feature_totals.experiments <> staging_totals.experiments
        or feature_totals.run_time <> staging_totals.run_time
    )
    and {{ is_made_of_staging(ref('user_features')) }}
