{{ config(materialized="table") }}

with

base_users as (

    select * from {{ ref('base_users') }}

),

base_experiments as (

    select * from {{ ref('base_experiments') }}

),

base_compounds as (

    select * from {{ ref('base_compounds') }}

),

users as (

    select * from {{ ref('stg_users') }}

),

experiments as (

    select * from {{ ref('int_experiments') }}

),

compounds as (

    select * from {{ ref('stg_compounds') }}

),

rejected_rows as (

    select * from {{ ref('int_rejected_rows') }}

),

read_and_valid as (

    select
        'users.csv' as file,
        (select count(*) from base_users) as rows_read,
        (select count(*) from users) as rows_valid
    union all
    select
        'user_experiments.csv' as file,
        (select count(*) from base_experiments) as rows_read,
        (select count(*) from experiments) as rows_valid
    union all
    select
        'compounds.csv' as file,
        (select count(*) from base_compounds) as rows_read,
        (select count(*) from compounds) as rows_valid

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
        read_and_valid.file,

        read_and_valid.rows_read,
        read_and_valid.rows_valid,
        coalesce(rejected.rows_rejected, 0) as rows_rejected,
        coalesce(rejected.cells_left_out, 0) as cells_left_out
    from read_and_valid
    left join rejected on read_and_valid.file = rejected.file

)

select * from final
