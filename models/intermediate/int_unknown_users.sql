{{ config(post_hook="{{ collect_statistics() }}") }}

with

staged_experiments as (

    select * from {{ ref('stg_experiments') }}

),

users as (

    select * from {{ ref('int_users') }}

),

final as (

    select distinct staged_experiments.user_id
    from staged_experiments
    left join users on staged_experiments.user_id = users.user_id
    where
        staged_experiments.reject_reason is null
        and users.user_id is null

)

select * from final
