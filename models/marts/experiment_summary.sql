with

user_features as (

    select * from {{ ref('user_features') }}

),

compound_usage as (

    select * from {{ ref('compound_usage') }}

),

rejected_rows as (

    select * from {{ ref('int_rejected_rows') }}

),

user_totals as (

    select
        count(*) as users,
        count(*) filter (where total_experiments > 0) as users_with_experiments,
        cast(coalesce(sum(total_experiments), 0) as bigint) as experiments,
        sum(total_experiment_run_time) as total_experiment_run_time
    from user_features

),

compound_totals as (

    select count(*) as compounds_used
    from compound_usage

),

experiments_without_run_time as (

    select count(*) as experiments
    from rejected_rows
    where column_name = 'experiment_run_time'

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
            'user_totals.total_experiment_run_time',
            '(user_totals.experiments - experiments_without_run_time.experiments)'
        ) }} as mean_experiment_run_time
    from user_totals
    cross join compound_totals
    cross join experiments_without_run_time

)

select * from final
