{{ config(materialized="table") }}

with

staged_users as (

    select * from {{ ref('stg_users') }}

),

staged_experiments as (

    select * from {{ ref('stg_experiments') }}

),

staged_compounds as (

    select * from {{ ref('stg_compounds') }}

),

users as (

    select * from {{ ref('int_users') }}

),

experiments as (

    select * from {{ ref('int_experiments') }}

),

compounds as (

    select * from {{ ref('int_compounds') }}

),

rejected_rows as (

    select * from {{ ref('int_rejected_rows') }}

),

read_and_accepted as (

    select
        'users.csv' as file,
        (select count(*) from staged_users) as rows_read,
        (select count(*) from users) as rows_accepted
    union all
    select
        'user_experiments.csv' as file,
        (select count(*) from staged_experiments) as rows_read,
        (select count(*) from experiments) as rows_accepted
    union all
    select
        'compounds.csv' as file,
        (select count(*) from staged_compounds) as rows_read,
        (select count(*) from compounds) as rows_accepted

),

rejected as (

    select
        file,
        count(distinct row_number) filter (where not row_kept) as rows_rejected,
        count(*) filter (where row_kept) as cells_left_out
    from rejected_rows
    group by file

),

final as (

    select
        read_and_accepted.file,

        read_and_accepted.rows_read,
        read_and_accepted.rows_accepted,
        coalesce(rejected.rows_rejected, 0) as rows_rejected,
        coalesce(rejected.cells_left_out, 0) as cells_left_out
    from read_and_accepted
    left join rejected on read_and_accepted.file = rejected.file

)

select * from final
