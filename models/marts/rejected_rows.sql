with

rejected_rows as (

    select * from {{ ref('int_rejected_rows') }}

),

final as (

    select
        file,
        row_number,
        column_name,

        reason,
        remedy,
        row_kept
    from rejected_rows

)

select * from final
