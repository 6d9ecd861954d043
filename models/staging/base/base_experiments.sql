{{ config(post_hook="{{ collect_statistics([this, ref('user_experiments')]) }}") }}

with

user_experiments as (

    select * from {{ ref('user_experiments') }}

),

typed as (

    select
        row_number,
        row_fault,
        experiment_id as experiment_id_text,
        {{ parse_key('experiment_id') }} as experiment_id,
        user_id as user_id_text,
        {{ parse_key('user_id') }} as user_id,

        experiment_compound_ids,
        {{ is_plain_key_list('experiment_compound_ids') }} as is_plain_list,

        experiment_run_time as experiment_run_time_text,
        {{ parse_run_time('experiment_run_time') }} as experiment_run_time
    from user_experiments
    -- Each cell is parsed once, though several columns below look at the result.
    {{ evaluate_once() }}

),

checked as (

    select
        *,
        {{ key_fault('experiment_id_text', 'experiment_id') }} as experiment_id_fault,
        {{ key_fault('user_id_text', 'user_id') }} as user_id_fault
    from typed

),

final as (

    select
        row_number,
        experiment_id,
        user_id,

        experiment_compound_ids,
        is_plain_list,

        experiment_run_time,

        {{ run_time_fault('experiment_run_time_text', 'experiment_run_time') }} as experiment_run_time_fault,
        case
            when row_fault is not null then 'wrong_cell_count'
            else coalesce(experiment_id_fault, user_id_fault)
        end as fault,
        case
            when row_fault is not null then ''
            when experiment_id_fault is not null then 'experiment_id'
            when user_id_fault is not null then 'user_id'
        end as fault_column,
        row_fault as fault_detail
    from checked

)

select * from final
