-- A file most of whose rows or cells cannot be used is itself wrong, not its rows. All marts stand behind this test.
with

rows_per_file as (

    select * from {{ ref('int_rows_per_file') }}

)

select
    file,
    mismatch
from rows_per_file
where mismatch is not null
