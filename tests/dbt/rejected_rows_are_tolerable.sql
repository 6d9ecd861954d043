-- If most rows or cells of a file cannot be used, the file is wrong, not its rows. All marts depend on this test.
with

rows_per_file as (

    select * from {{ ref('int_rows_per_file') }}

)

select
    file,
    mismatch
from rows_per_file
where mismatch is not null
