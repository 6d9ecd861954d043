{{ config(materialized="table", pre_hook="{{ sort_to_group() }}") }}

with

users as (

    select * from {{ ref('stg_users') }}

),

experiments_per_user as (

    select * from {{ ref('int_experiments_per_user') }}

),

keys_per_user as (

    select * from {{ ref('int_keys_per_user') }}

),

compounds as (

    select * from {{ ref('stg_compounds') }}

),

experiments_per_compound as (

    select
        keys_per_user.user_id,
        listed_keys.compound_id,
        count(*) as experiments
    from keys_per_user
    cross join {{ items_of(split_keys('keys_per_user.keys'), 'listed_keys', 'compound_id') }}
    group by keys_per_user.user_id, listed_keys.compound_id

),

compared_compounds as (

    select
        user_id,
        compound_id,
        experiments,
        count(*) over (partition by user_id) as distinct_compounds,
        max(experiments) over (partition by user_id) as most_experiments
    from experiments_per_compound
    -- With a join, or without `is true`, Postgres would have to sort all once more by user.
    where (compound_id in (select compounds.compound_id from compounds)) is true

),

most_common_compounds as (

    select
        user_id,
        distinct_compounds,
        most_experiments as most_common_compound_experiments,
        min(compound_id) as most_common_compound_id,
        {{ joined('cast(compound_id as ' ~ data_type('text') ~ ')', ';', 'compound_id') }} as most_common_compound_ids
    from compared_compounds
    where experiments = most_experiments
    group by user_id, distinct_compounds, most_experiments

),

final as (

    select
        users.user_id,

        coalesce(experiments_per_user.total_experiments, 0) as total_experiments,
        coalesce(experiments_per_user.known_run_times, 0) as known_run_times,
        {{ exact_mean(
            'experiments_per_user.total_experiment_run_time', 'experiments_per_user.known_run_times'
        ) }} as avg_experiment_run_time,
        case
            when experiments_per_user.user_id is null then 0
            else experiments_per_user.total_experiment_run_time
        end as total_experiment_run_time,

        coalesce(most_common_compounds.distinct_compounds, 0) as distinct_compounds,
        most_common_compounds.most_common_compound_id,
        compounds.compound_name as most_common_compound_name,
        most_common_compounds.most_common_compound_ids,
        most_common_compounds.most_common_compound_experiments
    from users
    left join experiments_per_user on users.user_id = experiments_per_user.user_id
    left join most_common_compounds on users.user_id = most_common_compounds.user_id
    left join compounds on most_common_compounds.most_common_compound_id = compounds.compound_id

)

select * from final
