-- A warning with the number of cells that were left out of rows that were used; they are listed in rejected_rows.
{{ config(severity='warn', fail_calc='coalesce(sum(cells_left_out), 0)') }}

with

rows_per_file as (

    select * from {{ ref('int_rows_per_file') }}

)

select
    file,
    rows_read,
    cells_left_out
from rows_per_file
where cells_left_out > 0
