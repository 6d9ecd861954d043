-- depends_on: {{ ref('int_rows_per_file') }}
-- depends_on: {{ ref('int_user_features') }}
-- depends_on: {{ ref('int_experiments_per_compound') }}
-- Nothing is published before all that is to be published has passed its tests.
with

user_features as (

    select * from {{ ref('int_user_features') }}

),

experiments_per_compound as (

    select * from {{ ref('int_experiments_per_compound') }}

),

totals as (

    select
        count(*) as users,
        count(*) filter (where total_experiments > 0) as users_with_experiments,
        coalesce(sum(total_experiments), 0) as experiments,
        sum(known_run_times) as known_run_times,
        sum(total_experiment_run_time) as total_experiment_run_time
    from user_features

),

compounds_used as (

    select count(*) as compounds_used
    from experiments_per_compound

),

final as (

    select
        totals.users,
        totals.users_with_experiments,
        cast(totals.experiments as bigint) as experiments,
        compounds_used.compounds_used,

        cast(totals.experiments as {{ data_type('double precision') }})
        / nullif(totals.users, 0) as mean_experiments_per_user,
        cast(totals.experiments as {{ data_type('double precision') }})
        / nullif(totals.users_with_experiments, 0) as mean_experiments_per_active_user,
        {{ exact_mean('totals.total_experiment_run_time', 'totals.known_run_times') }} as mean_experiment_run_time
    from totals
    cross join compounds_used

)

select * from final
