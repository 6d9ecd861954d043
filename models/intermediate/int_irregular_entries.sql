{{ config(materialized="table") }}

with

experiments as (

    select * from {{ ref('int_experiments') }}

),

entries as (

    select
        experiments.row_number,
        experiments.experiment_id,
        experiments.user_id,
        {{ trim_white_space('parts.part') }} as entry,
        parts.place
    from experiments
    cross join {{ items_of(split_text('experiments.experiment_compound_ids', "';'"), 'parts', 'part', 'place') }}
    where experiments.is_plain_list is not true

),

parsed as (

    select
        row_number,
        experiment_id,
        user_id,
        {{ parse_key('entry') }} as compound_id,
        place
    from entries
    where entry <> ''

),

final as (

    select
        row_number,
        experiment_id,
        user_id,
        compound_id
    from parsed
    -- A key counts once, an entry that is no key each time.
    group by
        row_number, experiment_id, user_id, compound_id, case when compound_id is null then place end

)

select * from final
