-- The grain of rejected_rows, checked before it is published.
with

rejected_rows as (

    select * from {{ ref('int_rejected_rows') }}

)

select
    file,
    row_number,
    column_name
from rejected_rows
group by file, row_number, column_name
having count(*) > 1
