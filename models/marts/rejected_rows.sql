with

rejected_rows as (

    select * from {{ ref('int_rejected_rows') }}

),

final as (

    select
        source_file as file,
        source_row_number as row_number,
        column_name,

        reason,
        remedy,
        row_kept
    from rejected_rows

)

select * from final
