{{ config(materialized="table") }}

with

entries as (

    select * from {{ ref('int_experiment_entries') }}

),

compounds as (

    select * from {{ ref('stg_compounds') }}

),

compared_entries as (

    select
        entries.compound_id,
        compounds.compound_id is not null as is_known,
        case when compounds.compound_id is null then entries.row_number end as row_number
    from entries
    left join compounds on entries.compound_id = compounds.compound_id

),

final as (

    select
        compound_id,
        is_known,
        row_number,

        count(*) as entries
    from compared_entries
    group by compound_id, is_known, row_number

)

select * from final
