-- Every accepted user has exactly one row of features.
with

users as (

    select * from {{ ref('int_users') }}

),

user_features as (

    select * from {{ ref('user_features') }}

)

select users.user_id
from users
left join user_features on users.user_id = user_features.user_id
where
    user_features.user_id is null
    and {{ is_made_of_staging(ref('user_features')) }}
