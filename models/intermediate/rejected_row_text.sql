{{ config(materialized="table") }}

with

rejected_rows as (

    select distinct
        file,
        row_number
    from {{ ref('int_rejected_rows') }}

),

users as (

    select * from {{ ref('users') }}

),

user_experiments as (

    select * from {{ ref('user_experiments') }}

),

compounds as (

    select * from {{ ref('compounds') }}

),

final as (

    select
        rejected_rows.file,
        rejected_rows.row_number,

        coalesce(users.row_text, concat_ws(',', users.user_id, users.name, users.email, users.signup_date)) as row_text
    from rejected_rows
    inner join users on rejected_rows.row_number = users.row_number
    where rejected_rows.file = 'users.csv'
    union all
    select
        rejected_rows.file,
        rejected_rows.row_number,

        coalesce(
            user_experiments.row_text,
            concat_ws(
                ',',
                user_experiments.experiment_id,
                user_experiments.user_id,
                user_experiments.experiment_compound_ids,
                user_experiments.experiment_run_time
            )
        ) as row_text
    from rejected_rows
    inner join user_experiments on rejected_rows.row_number = user_experiments.row_number
    where rejected_rows.file = 'user_experiments.csv'
    union all
    select
        rejected_rows.file,
        rejected_rows.row_number,

        coalesce(
            compounds.row_text,
            concat_ws(',', compounds.compound_id, compounds.compound_name, compounds.compound_structure)
        ) as row_text
    from rejected_rows
    inner join compounds on rejected_rows.row_number = compounds.row_number
    where rejected_rows.file = 'compounds.csv'

)

select * from final
