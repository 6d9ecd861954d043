{{ config(materialized="table") }}

with

experiment_compounds as (

    select * from {{ ref('int_experiment_compounds') }}

),

final as (

    select
        compound_id,

        count(*) as experiments
    from experiment_compounds
    group by compound_id

)

select * from final
