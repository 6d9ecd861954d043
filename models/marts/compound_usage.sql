with

user_compounds as (

    select * from {{ ref('int_user_compounds') }}

),

compounds as (

    select * from {{ ref('int_compounds') }}

),

experiments_per_compound as (

    select
        compound_id,
        sum(experiments) as experiments
    from user_compounds
    group by compound_id

),

final as (

    select
        compounds.compound_id,

        compounds.compound_name,

        cast(experiments_per_compound.experiments as bigint) as experiments
    from experiments_per_compound
    inner join compounds on experiments_per_compound.compound_id = compounds.compound_id

)

select * from final
