with

rejected_rows as (

    select distinct
        file,
        row_number,
        source_file,
        source_row_number
    from {{ ref('int_rejected_rows') }}

),

final as (

    {{ row_text('users.csv', ref('users')) }}
    union all
    {{ row_text('user_experiments.csv', ref('user_experiments')) }}
    union all
    {{ row_text('compounds.csv', ref('compounds')) }}

)

select * from final
