with

user_features as (

    select * from {{ ref('user_features') }}

),

compound_usage as (

    select * from {{ ref('compound_usage') }}

),

experiments as (

    select * from {{ ref('int_experiments') }}

),

user_totals as (

    select
        count(*) as users,
        count(*) filter (where total_experiments > 0) as users_with_experiments,
        cast(coalesce(sum(total_experiments), 0) as bigint) as experiments
    from user_features

),

compound_totals as (

    select count(*) as compounds_used
    from compound_usage

),

run_times as (

    select
        count(experiment_run_time) as known_run_times,
        sum(experiment_run_time) as total_experiment_run_time
    from experiments

),

final as (

    select
        user_totals.users,
        user_totals.users_with_experiments,
        user_totals.experiments,
        compound_totals.compounds_used,

        cast(user_totals.experiments as {{ data_type('double precision') }})
        / nullif(user_totals.users, 0) as mean_experiments_per_user,
        cast(user_totals.experiments as {{ data_type('double precision') }})
        / nullif(user_totals.users_with_experiments, 0) as mean_experiments_per_active_user,
        {{ exact_mean(
            'run_times.total_experiment_run_time', 'run_times.known_run_times'
        ) }} as mean_experiment_run_time
    from user_totals
    cross join compound_totals
    cross join run_times

)

select * from final
