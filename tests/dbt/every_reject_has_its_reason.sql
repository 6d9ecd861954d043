-- Nobody can act on a reject without a reason and a remedy.
with

rejected_rows as (

    select * from {{ ref('int_rejected_rows') }}

)

select
    file,
    row_number,
    column_name,
    code
from rejected_rows
where
    reason is null
    or remedy is null
    or row_kept is null
    or position('{' in reason) > 0
    or position('{' in remedy) > 0
