{{ config(materialized="table") }}

with

experiments as (

    select * from {{ ref('stg_experiments') }}

),

users as (

    select * from {{ ref('stg_users') }}

),

final as (

    select distinct experiments.user_id
    from experiments
    left join users on experiments.user_id = users.user_id
    where users.user_id is null

)

select * from final
