with

users as (

    select * from {{ ref('users') }}

),

typed as (

    select
        row_number,
        row_fault,
        user_id as user_id_text,
        {{ parse_id('user_id') }} as user_id,

        {{ present_text('name') }} as name,
        {{ present_text('email') }} as email,

        signup_date as signup_date_text,
        {{ parse_date('signup_date') }} as signup_date
    from users

),

final as (

    select
        row_number,
        user_id,

        name,
        email,

        signup_date,

        case when signup_date is null then {{ date_reason('signup_date_text') }} end as signup_date_reason,
        case
            when row_fault is not null then 'wrong_cell_count'
            when user_id is null then {{ id_reason('user_id_text') }}
        end as reject_reason,
        case
            when row_fault is not null then row_fault
            when user_id is null then {{ misleading_character('user_id_text') }}
        end as reject_detail
    from typed

)

select * from final
