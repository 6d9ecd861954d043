with

experiments as (

    select * from {{ ref('stg_experiments') }}

),

users as (

    select * from {{ ref('stg_users') }}

),

final as (

    select
        experiments.row_number,
        experiments.experiment_id,
        experiments.user_id,

        experiments.experiment_compound_ids,

        experiments.experiment_run_time,
        experiments.experiment_run_time_fault
    from experiments
    inner join users on experiments.user_id = users.user_id

)

select * from final
