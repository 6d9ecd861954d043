{{ config(materialized="table") }}

with

experiments as (

    select * from {{ ref('stg_experiments') }}

),

final as (

    select
        user_id,

        count(*) as total_experiments,
        count(experiment_run_time) as known_run_times,
        sum(experiment_run_time) as total_experiment_run_time
    from experiments
    group by user_id

)

select * from final
