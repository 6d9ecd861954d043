with

entries as (

    select * from {{ ref('int_experiment_entries') }}

),

compounds as (

    select * from {{ ref('stg_compounds') }}

),

final as (

    select
        entries.experiment_id,
        entries.user_id,
        entries.compound_id
    from entries
    inner join compounds on entries.compound_id = compounds.compound_id

)

select * from final
