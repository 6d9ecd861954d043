{{ config(post_hook="{{ collect_statistics([this, ref('users')]) }}") }}

with

users as (

    select * from {{ ref('users') }}

),

typed as (

    select
        row_number,
        row_fault,
        user_id as user_id_text,
        {{ parse_key('user_id') }} as user_id,

        nullif(name, '') as name,
        nullif(email, '') as email,

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

        case
            when signup_date is not null then null
            when signup_date_text = '' then 'missing_date'
            else 'date_not_valid'
        end as signup_date_fault,
        case
            when row_fault is not null then 'wrong_cell_count'
            else {{ key_fault('user_id_text', 'user_id') }}
        end as fault,
        case when row_fault is null then 'user_id' else '' end as fault_column,
        row_fault as fault_detail
    from typed

)

select * from final
