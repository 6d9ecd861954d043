-- A user's most common compound is in no more experiments than the user ran.
with

user_features as (

    select * from {{ ref('user_features') }}

)

select
    user_id,
    total_experiments,
    distinct_compounds,
    most_common_compound_id,
    most_common_compound_ids,
    most_common_compound_experiments
from user_features
where
    most_common_compound_experiments not between 1 and total_experiments
    or (distinct_compounds > 0) <> (most_common_compound_id is not null)
    or split_part(most_common_compound_ids, ';', 1) <> cast(most_common_compound_id as {{ data_type('text') }})
