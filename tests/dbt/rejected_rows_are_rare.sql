-- Warns with the number of rejected rows; rejected_rows lists them.
{{ config(severity='warn', fail_calc='coalesce(sum(rows_rejected), 0)') }}

with

rows_per_file as (

    select * from {{ ref('int_rows_per_file') }}

)

select
    file,
    rows_read,
    rows_rejected
from rows_per_file
where rows_rejected > 0
