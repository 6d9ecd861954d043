-- What the check constraint of rejected_rows holds on Postgres and DuckDB, for engines without constraints too.
with

rejected_rows as (

    select * from {{ ref('int_rejected_rows') }}

)

select
    file,
    row_number
from rejected_rows
where row_number < 1
