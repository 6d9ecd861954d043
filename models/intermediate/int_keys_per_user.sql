with

experiments_per_user as (

    select * from {{ ref('int_experiments_per_user') }}

),

unknown_users as (

    select * from {{ ref('int_unknown_users') }}

),

irregular_entries as (

    select * from {{ ref('int_irregular_entries') }}

),

irregular_keys as (

    select
        user_id,
        {{ joined('cast(compound_id as ' ~ data_type('text') ~ ')', ';') }} as keys
    from irregular_entries
    group by user_id

),

final as (

    select
        experiments_per_user.user_id,

        nullif(concat_ws(';', experiments_per_user.plain_keys, irregular_keys.keys), '') as keys
    from experiments_per_user
    left join unknown_users on experiments_per_user.user_id = unknown_users.user_id
    left join irregular_keys on experiments_per_user.user_id = irregular_keys.user_id
    where unknown_users.user_id is null

)

select * from final
