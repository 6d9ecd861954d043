with

base_users as (

    select * from {{ ref('base_users') }}

),

repeated_rows as (

    select * from {{ ref('base_repeated_rows') }}

),

final as (

    select
        row_number,
        user_id,

        name,
        email,

        signup_date,
        signup_date_fault
    from base_users
    where
        fault is null
        and not exists (
            select 1
            from repeated_rows
            where repeated_rows.file = 'users.csv' and repeated_rows.row_number = base_users.row_number
        )

)

select * from final
