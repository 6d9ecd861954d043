with

users as (

    select * from {{ ref('int_users') }}

),

experiments as (

    select * from {{ ref('int_experiments') }}

),

user_compounds as {{ not_materialized() }} (

    select * from {{ ref('int_user_compounds') }}

),

compounds as {{ not_materialized() }} (

    select * from {{ ref('int_compounds') }}

),

experiment_totals as (

    select
        user_id,
        count(*) as total_experiments,
        count(experiment_run_time) as known_run_times,
        sum(experiment_run_time) as total_experiment_run_time
    from experiments
    group by user_id

),

known_user_compounds as {{ not_materialized() }} (

    select
        user_compounds.user_id,
        user_compounds.compound_id,
        user_compounds.experiments
    from user_compounds
    inner join compounds on user_compounds.compound_id = compounds.compound_id

),

compound_totals as (

    select
        user_id,
        count(*) as distinct_compounds,
        max(experiments) as most_experiments
    from known_user_compounds
    group by user_id

),

most_common_compounds as (

    select
        compound_totals.user_id,
        compound_totals.distinct_compounds,
        compound_totals.most_experiments as most_common_compound_experiments,
        min(known_user_compounds.compound_id) as most_common_compound_id,
        {{ joined(
            'cast(known_user_compounds.compound_id as ' ~ data_type('text') ~ ')', ';', 'known_user_compounds.compound_id'
        ) }} as most_common_compound_ids
    from compound_totals
    inner join known_user_compounds
        on
            compound_totals.user_id = known_user_compounds.user_id
            and compound_totals.most_experiments = known_user_compounds.experiments
    group by compound_totals.user_id, compound_totals.distinct_compounds, compound_totals.most_experiments

),

final as (

    select
        users.user_id,

        coalesce(experiment_totals.total_experiments, 0) as total_experiments,
        {{ exact_mean(
            'experiment_totals.total_experiment_run_time', 'experiment_totals.known_run_times'
        ) }} as avg_experiment_run_time,
        case
            when experiment_totals.user_id is null then 0
            else experiment_totals.total_experiment_run_time
        end as total_experiment_run_time,

        coalesce(most_common_compounds.distinct_compounds, 0) as distinct_compounds,
        most_common_compounds.most_common_compound_id,
        compounds.compound_name as most_common_compound_name,
        most_common_compounds.most_common_compound_ids,
        most_common_compounds.most_common_compound_experiments
    from users
    left join experiment_totals on users.user_id = experiment_totals.user_id
    left join most_common_compounds on users.user_id = most_common_compounds.user_id
    left join compounds on most_common_compounds.most_common_compound_id = compounds.compound_id

)

select * from final
