{{ config(pre_hook="{{ sort_to_group() }}") }}

with

experiments as (

    select * from {{ ref('int_experiments') }}

),

final as (

    select
        experiments.user_id,
        listed.compound_id,

        -- An id that is listed twice in an experiment counts once. Unknown ids are left out in user_features.
        count(*) as experiments
    from experiments
    cross join {{ unnest_distinct('experiments.compound_ids', 'listed', 'compound_id') }}
    group by experiments.user_id, listed.compound_id

)

select * from final
