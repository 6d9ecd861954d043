with

experiments as (

    select * from {{ ref('int_experiments') }}

),

irregular_entries as (

    select * from {{ ref('int_irregular_entries') }}

),

final as (

    select
        experiments.row_number,
        experiments.experiment_id,
        experiments.user_id,
        cast(plain_keys.plain_key as bigint) as compound_id
    from experiments
    cross join {{ items_of(plain_keys('experiments.experiment_compound_ids'), 'plain_keys', 'plain_key') }}
    where experiments.is_plain_list
    union all
    select
        row_number,
        experiment_id,
        user_id,
        compound_id
    from irregular_entries

)

select * from final
