with

base_experiments as (

    select * from {{ ref('base_experiments') }}

),

repeated_rows as (

    select * from {{ ref('base_repeated_rows') }}

),

final as (

    select
        row_number,
        experiment_id,
        user_id,

        experiment_compound_ids,
        is_plain_list,

        experiment_run_time,
        experiment_run_time_fault
    from base_experiments
    where
        fault is null
        and not exists (
            select 1
            from repeated_rows
            where
                repeated_rows.file = 'user_experiments.csv'
                and repeated_rows.row_number = base_experiments.row_number
        )

)

select * from final
