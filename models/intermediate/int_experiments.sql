{{ config(materialized='view') }}

with

staged_experiments as (

    select * from {{ ref('stg_experiments') }}

),

duplicate_rows as (

    select * from {{ ref('int_duplicate_rows') }}
    where file = 'user_experiments.csv'

),

unknown_users as (

    select * from {{ ref('int_unknown_users') }}

),

final as (

    select staged_experiments.*
    from staged_experiments
    left join duplicate_rows on staged_experiments.row_number = duplicate_rows.row_number
    left join unknown_users on staged_experiments.user_id = unknown_users.user_id
    where
        staged_experiments.reject_reason is null
        and duplicate_rows.row_number is null
        and unknown_users.user_id is null

)

select * from final
