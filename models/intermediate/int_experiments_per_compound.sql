with

counted_keys as (

    select * from {{ ref('int_counted_keys') }}

),

final as (

    select
        compound_id,

        experiments
    from counted_keys
    where is_known

)

select * from final
