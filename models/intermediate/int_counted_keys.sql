{{ config(materialized="table") }}

with

keys_per_user as (

    select * from {{ ref('int_keys_per_user') }}

),

compounds as (

    select * from {{ ref('stg_compounds') }}

),

counted_keys as (

    select
        listed_keys.compound_id,
        count(*) as experiments
    from keys_per_user
    cross join {{ items_of(split_keys('keys_per_user.keys'), 'listed_keys', 'compound_id') }}
    group by listed_keys.compound_id

),

final as (

    select
        counted_keys.compound_id,
        compounds.compound_id is not null as is_known,

        counted_keys.experiments
    from counted_keys
    left join compounds on counted_keys.compound_id = compounds.compound_id

)

select * from final
