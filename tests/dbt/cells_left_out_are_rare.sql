-- Warns with the number of unusable cells in accepted rows; rejected_rows lists them.
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
