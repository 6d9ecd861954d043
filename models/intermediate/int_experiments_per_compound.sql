with

counted_entries as (

    select * from {{ ref('int_counted_entries') }}

),

final as (

    select
        compound_id,

        entries as experiments
    from counted_entries
    where is_known

)

select * from final
