{{ config(materialized="table") }}

with

experiments as (

    select * from {{ ref('int_experiments') }}
    where is_plain_list

),

irregular_entries as (

    select * from {{ ref('int_irregular_entries') }}

),

keys_per_user as (

    select * from {{ ref('int_keys_per_user') }}

),

-- Each condition stands here, since Postgres would otherwise store all keys, and join them by one process.
known_keys as (

    select * from {{ ref('int_counted_keys') }}
    where is_known

),

unknown_keys as (

    select * from {{ ref('int_counted_keys') }}
    where not is_known

),

-- Unknown keys are rare: the lists of their users alone are taken apart again, and none where all keys are known.
users_of_unknown_keys as (

    select keys_per_user.user_id
    from keys_per_user
    cross join {{ items_of(split_keys('keys_per_user.keys'), 'listed_keys', 'compound_id') }}
    inner join unknown_keys on listed_keys.compound_id = unknown_keys.compound_id

),

-- `in` rather than a join with different users: Postgres would have one process find which are different.
plain_entries as (

    select
        experiments.row_number,
        listed_keys.compound_id
    from experiments
    cross join {{ items_of(
        split_keys(plain_keys('experiments.experiment_compound_ids')), 'listed_keys', 'compound_id'
    ) }}
    where experiments.user_id in (select users_of_unknown_keys.user_id from users_of_unknown_keys)

),

entries as (

    select
        row_number,
        compound_id
    from plain_entries
    union all
    select
        row_number,
        compound_id
    from irregular_entries

),

final as (

    select
        entries.row_number,
        entries.compound_id,

        count(*) as entries
    from entries
    left join known_keys on entries.compound_id = known_keys.compound_id
    where known_keys.compound_id is null
    group by entries.row_number, entries.compound_id

)

select * from final
