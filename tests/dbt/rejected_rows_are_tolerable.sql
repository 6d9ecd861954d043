-- Too many rejected rows in a file mean that the file is wrong, not its rows. All marts stand behind this test.
with

rows_per_file as (

    select * from {{ ref('int_rows_per_file') }}

)

select
    file,
    rows_read,
    rows_rejected
from rows_per_file
where
    rows_rejected > {{ var('tolerated_rejected_rows') }}
    and rows_rejected > {{ var('max_rejected_ratio') }} * rows_read
