with

experiments as (

    select * from {{ ref('int_experiments') }}

),

lists as (

    select
        row_number,
        experiment_id,
        user_id,
        {{ parse_key_list('experiment_compound_ids') }} as compound_ids
    from experiments
    -- Without it, Postgres would parse each list anew for every column below that looks at the result.
    offset 0  -- noqa: AM09

),

entries as (

    select
        row_number,
        experiment_id,
        user_id,
        compound_ids,
        unnest(compound_ids) as compound_id,
        generate_subscripts(compound_ids, 1) as place
    from lists

),

final as (

    select
        row_number,
        experiment_id,
        user_id,
        compound_id,

        array_position(compound_ids, compound_id) < place as is_repeated
    from entries

)

select * from final
