-- depends_on: {{ ref('int_rows_per_file') }}
-- depends_on: {{ ref('int_user_features') }}
-- Nothing is published before all that is to be published has passed its tests.
with

experiments_per_compound as (

    select * from {{ ref('int_experiments_per_compound') }}

),

compounds as (

    select * from {{ ref('stg_compounds') }}

),

final as (

    select
        experiments_per_compound.compound_id,

        compounds.compound_name,

        experiments_per_compound.experiments
    from experiments_per_compound
    inner join compounds on experiments_per_compound.compound_id = compounds.compound_id

)

select * from final
