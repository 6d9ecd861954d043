with

staged_compounds as (

    select * from {{ ref('stg_compounds') }}

),

duplicate_rows as (

    select * from {{ ref('int_duplicate_rows') }}
    where file = 'compounds.csv'

),

final as (

    select staged_compounds.*
    from staged_compounds
    left join duplicate_rows on staged_compounds.row_number = duplicate_rows.row_number
    where
        staged_compounds.reject_reason is null
        and duplicate_rows.row_number is null

)

select * from final
