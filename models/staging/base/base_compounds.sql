{{ config(post_hook="{{ collect_statistics([this, ref('compounds')]) }}") }}

with

compounds as (

    select * from {{ ref('compounds') }}

),

typed as (

    select
        row_number,
        row_fault,
        compound_id as compound_id_text,
        {{ parse_key('compound_id') }} as compound_id,

        nullif(compound_name, '') as compound_name,
        nullif(compound_structure, '') as compound_structure
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
            else {{ key_fault('compound_id_text', 'compound_id') }}
        end as fault,
        case when row_fault is null then 'compound_id' else '' end as fault_column,
        row_fault as fault_detail
    from typed

)

select * from final
