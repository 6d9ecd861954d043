-- The summary has exactly one row.
with

experiment_summary as (

    select * from {{ ref('experiment_summary') }}

)

select count(*) as summaries
from experiment_summary
having count(*) <> 1
