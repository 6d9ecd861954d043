with

experiments as (

    select * from {{ ref('stg_experiments') }}

),

unknown_users as (

    select * from {{ ref('int_unknown_users') }}

),

final as (

    select
        experiments.row_number,
        experiments.experiment_id,
        experiments.user_id,

        experiments.experiment_compound_ids,
        experiments.is_plain_list,

        experiments.experiment_run_time,
        experiments.experiment_run_time_fault
    from experiments
    left join unknown_users on experiments.user_id = unknown_users.user_id
    where unknown_users.user_id is null

)

select * from final
