{{ config(materialized="table") }}

with

experiments_per_user as (

    select * from {{ ref('int_experiments_per_user') }}

),

users as (

    select * from {{ ref('stg_users') }}

),

final as (

    select experiments_per_user.user_id
    from experiments_per_user
    left join users on experiments_per_user.user_id = users.user_id
    where users.user_id is null

)

select * from final
