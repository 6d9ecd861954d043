with

staged_users as (

    select * from {{ ref('stg_users') }}

),

duplicate_rows as (

    select * from {{ ref('int_duplicate_rows') }}
    where file = 'users.csv'

),

final as (

    select staged_users.*
    from staged_users
    left join duplicate_rows on staged_users.row_number = duplicate_rows.row_number
    where
        staged_users.reject_reason is null
        and duplicate_rows.row_number is null

)

select * from final
