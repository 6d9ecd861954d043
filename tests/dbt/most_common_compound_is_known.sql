-- A user's most common compound is in compounds.csv, and has the same name there.
with

user_features as (

    select * from {{ ref('user_features') }}

),

compounds as (

    select * from {{ ref('int_compounds') }}

)

select
    user_features.user_id,
    user_features.most_common_compound_id,
    user_features.most_common_compound_name
from user_features
left join compounds on user_features.most_common_compound_id = compounds.compound_id
where
    user_features.most_common_compound_id is not null
    and (
        compounds.compound_id is null
        or coalesce(user_features.most_common_compound_name, '') <> coalesce(compounds.compound_name, '')
    )
    and {{ is_made_of_staging(ref('user_features')) }}
