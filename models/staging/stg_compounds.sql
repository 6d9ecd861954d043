with

compounds as (

    select * from {{ ref('compounds') }}

),

typed as (

    select
        row_number,
        row_fault,
        compound_id as compound_id_text,
        {{ parse_id('compound_id') }} as compound_id,

        {{ present_text('compound_name') }} as compound_name,
        {{ present_text('compound_structure') }} as compound_structure
    from compounds

),

final as (

    select
        row_number,
        compound_id,

        compound_name,
        compound_structure,

        case
            when row_fault is not null then 'wrong_cell_count'
            when compound_id is null then {{ id_reason('compound_id_text') }}
        end as reject_reason,
        case
            when row_fault is not null then row_fault
            when compound_id is null then {{ misleading_character('compound_id_text') }}
        end as reject_detail
    from typed

)

select * from final
