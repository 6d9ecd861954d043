{{ config(materialized="table", post_hook="{{ collect_statistics() }}") }}

with

experiments as (

    select * from {{ ref('stg_experiments') }}

),

experiments_with_keys as (

    select
        user_id,

        experiment_run_time,
        case when is_plain_list then {{ plain_keys('experiment_compound_ids') }} end as plain_keys
    from experiments
    -- Postgres takes less time for the lists before it groups than while it does.
    {{ evaluate_once() }}

),

final as (

    select
        user_id,

        count(*) as total_experiments,
        count(experiment_run_time) as known_run_times,
        sum(experiment_run_time) as total_experiment_run_time,

        {{ joined('plain_keys', ';') }} as plain_keys
    from experiments_with_keys
    group by user_id

)

select * from final
