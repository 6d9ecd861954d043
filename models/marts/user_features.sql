{{ config(pre_hook="{{ prepare_history() }}", post_hook="{{ record_published_states('user_id') }}") }}
-- depends_on: {{ ref('int_rows_per_file') }}
-- depends_on: {{ ref('int_user_features') }}
-- depends_on: {{ ref('int_experiments_per_compound') }}
-- Nothing is published before all that is to be published has passed its tests.
with

user_features as (

    select * from {{ ref('int_user_features') }}

),

final as (

    select
        user_id,

        total_experiments,
        avg_experiment_run_time,
        total_experiment_run_time,

        distinct_compounds,
        most_common_compound_id,
        most_common_compound_name,
        most_common_compound_ids,
        most_common_compound_experiments
    from user_features

)

select * from final
