{{ config(pre_hook=["{{ require_one_load() }}", "{{ sort_to_group() }}"]) }}

with

duplicate_users as (

    {{ duplicate_rows('users.csv', ref('stg_users'), ref('users'), 'user_id') }}

),

duplicate_experiments as (

    {{ duplicate_rows('user_experiments.csv', ref('stg_experiments'), ref('user_experiments'), 'experiment_id') }}

),

duplicate_compounds as (

    {{ duplicate_rows('compounds.csv', ref('stg_compounds'), ref('compounds'), 'compound_id') }}

),

final as (

    select * from duplicate_users
    union all
    select * from duplicate_experiments
    union all
    select * from duplicate_compounds

)

select * from final
