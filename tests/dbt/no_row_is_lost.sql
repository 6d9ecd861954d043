-- Every row that was read is either accepted or rejected.
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
