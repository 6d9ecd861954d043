with

experiments as (

    select * from {{ ref('int_experiments') }}

),

entries as (

    select
        experiments.row_number,
        experiments.experiment_id,
        experiments.user_id,

        {{ trim_white_space('list_entries.entry') }} as entry
    from experiments
    cross join lateral {{ list_entries('experiments.experiment_compound_ids') }} as list_entries (entry)

),

final as (

    select
        row_number,
        experiment_id,
        user_id,
        {{ parse_key('entry') }} as compound_id,

        entry
    from entries
    where entry <> ''

)

select * from final
