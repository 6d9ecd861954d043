with

user_experiments as (

    select * from {{ ref('user_experiments') }}

),

typed as (

    select
        row_number,
        row_fault,
        experiment_id as experiment_id_text,
        {{ parse_id('experiment_id') }} as experiment_id,
        user_id as user_id_text,
        {{ parse_id('user_id') }} as user_id,

        {{ parse_id_list('experiment_compound_ids') }} as compound_ids,

        experiment_run_time as experiment_run_time_text,
        {{ parse_run_time('experiment_run_time') }} as experiment_run_time
    from user_experiments
    {{ evaluate_once() }}

),

final as (

    select
        row_number,
        experiment_id,
        user_id,

        compound_ids,

        experiment_run_time,

        case
            when experiment_run_time is null then {{ run_time_reason('experiment_run_time_text') }}
        end as experiment_run_time_reason,
        case
            when row_fault is not null then 'wrong_cell_count'
            when experiment_id is null then {{ id_reason('experiment_id_text') }}
            when user_id is null then {{ id_reason('user_id_text') }}
        end as reject_reason,
        row_fault as reject_detail
    from typed

)

select * from final
