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

causes as (

    select * from {{ ref('int_reject_causes') }}

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
        coalesce(cast(sum(affected_rows) filter (where not row_kept) as bigint), 0) as rows_rejected,
        coalesce(cast(sum(affected_rows) filter (where row_kept) as bigint), 0) as cells_left_out
    from causes
    group by file

),

-- The columns that a published feature needs. No feature is computed from signup_date.
needed_cells as (

    select
        file,
        column_name,
        cast(sum(empty_cells) as bigint) as empty_cells,
        cast(sum(unusable_cells) as bigint) as unusable_cells
    from causes
    where column_name in ('experiment_run_time', 'experiment_compound_ids')
    group by file, column_name

),

-- Empty cells do not count, since they do not show whether the file has the expected contents.
filled_cells as (

    select
        needed_cells.file,
        needed_cells.column_name,
        needed_cells.unusable_cells,
        read_and_accepted.rows_accepted - needed_cells.empty_cells as filled_cells
    from needed_cells
    inner join read_and_accepted on needed_cells.file = read_and_accepted.file

),

mismatched_columns as (

    select
        file,
        column_name,
        unusable_cells || ' of ' || filled_cells || ' filled cells of ' || column_name
        || ' in accepted rows of ' || file || ' cannot be used as they are (more than '
        || '{{ '%g%%' | format(100 * var('stop_at_any_size_above_share')) }})' as mismatch
    from filled_cells
    where unusable_cells > {{ var('stop_at_any_size_above_share') }} * filled_cells

),

mismatches as (

    select
        file,
        {{ joined('mismatch', ', and ', 'column_name') }} as mismatch
    from mismatched_columns
    group by file

),

counted as (

    select
        read_and_accepted.file,

        read_and_accepted.rows_read,
        read_and_accepted.rows_accepted,
        coalesce(rejected.rows_rejected, 0) as rows_rejected,
        coalesce(rejected.cells_left_out, 0) as cells_left_out
    from read_and_accepted
    left join rejected on read_and_accepted.file = rejected.file

),

final as (

    select
        counted.file,

        counted.rows_read,
        counted.rows_accepted,
        counted.rows_rejected,
        counted.cells_left_out,

        nullif(concat_ws(
            ', and ',
            counted.rows_rejected || ' of ' || counted.rows_read || ' rows of ' || counted.file || ' are rejected'
            || case
                when counted.rows_rejected > {{ var('stop_at_any_size_above_share') }} * counted.rows_read
                    then ' (more than {{ '%g%%' | format(100 * var('stop_at_any_size_above_share')) }})'
                when
                    counted.rows_rejected > {{ var('stop_above_rejected_rows') }}
                    and counted.rows_rejected > {{ var('stop_above_rejected_share') }} * counted.rows_read
                    then
                        ' (more than {{ var('stop_above_rejected_rows') }} and more than '
                        || '{{ '%g%%' | format(100 * var('stop_above_rejected_share')) }})'
            end,
            case
                when counted.rows_read = 0 and {{ var('stop_at_file_without_rows') }}
                    then
                        counted.file
                        || ' has no rows (which is allowed with `--vars "stop_at_file_without_rows: false"`)'
            end,
            mismatches.mismatch
        ), '') as mismatch
    from counted
    left join mismatches on counted.file = mismatches.file

)

select * from final
