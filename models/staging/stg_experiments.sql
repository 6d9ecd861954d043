with

user_experiments as {{ not_materialized() }} (

    select * from {{ ref('user_experiments') }}

),

run_time_marks as (

    {{ meaning_of_marks('experiment_run_time', 'user_experiments') }}

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
        {{ parse_run_time(with_decimal_point('experiment_run_time')) }} as plain_run_time
    from user_experiments
    {{ evaluate_once() }}

),

with_marks as (

    select
        *,
        (
            (select run_time_marks.points_group_digits from run_time_marks)
            and {{ matches('experiment_run_time_text', with_marks(digits_grouped_by_points())) }}
        ) as may_have_grouped_digits,
        {{ number_with_point('experiment_run_time_text', '(select commas from run_time_marks)') }} as run_time_number
    from typed

),

with_run_time as (

    select
        *,
        case
            when not may_have_grouped_digits and plain_run_time is not null then plain_run_time
            when not may_have_grouped_digits or (select run_time_marks.commas from run_time_marks) = 'decimal'
                then {{ parse_run_time('run_time_number') }}
        end as experiment_run_time
    from with_marks

),

final as (

    select
        row_number,
        experiment_id,
        user_id,

        compound_ids,

        experiment_run_time,

        case
            when experiment_run_time is null
                then {{ run_time_reason(
                    'experiment_run_time_text', 'run_time_number', '(select commas from run_time_marks)'
                ) }}
        end as experiment_run_time_reason,
        case
            when row_fault is not null then 'wrong_cell_count'
            when experiment_id is null then {{ id_reason('experiment_id_text') }}
            when user_id is null then {{ id_reason('user_id_text') }}
        end as reject_reason,
        case
            when row_fault is not null then row_fault
            when experiment_id is null then {{ misleading_character('experiment_id_text') }}
            when user_id is null then {{ misleading_character('user_id_text') }}
            when plain_run_time is null then {{ misleading_character('experiment_run_time_text') }}
        end as reject_detail
    from with_run_time

)

select * from final
