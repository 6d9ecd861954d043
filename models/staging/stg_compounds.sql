with

base_compounds as (

    select * from {{ ref('base_compounds') }}

),

repeated_rows as (

    select * from {{ ref('base_repeated_rows') }}

),

final as (

    select
        row_number,
        compound_id,

        compound_name,
        compound_structure
    from base_compounds
    where
        fault is null
        and not exists (
            select 1
            from repeated_rows
            where repeated_rows.file = 'compounds.csv' and repeated_rows.row_number = base_compounds.row_number
        )

)

select * from final
