{{ config(pre_hook=["{{ require_one_load() }}", "{{ sort_to_group() }}"]) }}

with

repeated_users as (

    {{ repeated_rows('users.csv', ref('base_users'), ref('users'), 'user_id', ['name', 'email', 'signup_date']) }}

),

repeated_experiments as (

    {{ repeated_rows(
        'user_experiments.csv', ref('base_experiments'), ref('user_experiments'), 'experiment_id',
        ['user_id', 'experiment_compound_ids', 'experiment_run_time']
    ) }}

),

repeated_compounds as (

    {{ repeated_rows(
        'compounds.csv', ref('base_compounds'), ref('compounds'), 'compound_id',
        ['compound_name', 'compound_structure']
    ) }}

),

final as (

    select * from repeated_users
    union all
    select * from repeated_experiments
    union all
    select * from repeated_compounds

)

select * from final
