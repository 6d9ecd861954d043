-- Every row that was read is either in the valid rows of its file or among the rejected rows.
with

rows_per_file as (

    select * from {{ ref('int_rows_per_file') }}

)

select
    file,
    rows_read,
    rows_accepted,
    rows_rejected
from rows_per_file
where rows_read <> rows_accepted + rows_rejected
