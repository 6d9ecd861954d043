with

staged_experiments as (

    select * from {{ ref('stg_experiments') }}

),

-- A duplicate of an accepted row has the same id, so its user is known too.
users as (

    select * from {{ ref('stg_users') }}
    where reject_reason is null

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
