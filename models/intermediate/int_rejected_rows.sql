{{ config(materialized="table") }}

with

base_users as (

    select * from {{ ref('base_users') }}

),

base_experiments as (

    select * from {{ ref('base_experiments') }}

),

base_compounds as (

    select * from {{ ref('base_compounds') }}

),

repeated_rows as (

    select * from {{ ref('base_repeated_rows') }}

),

users as (

    select * from {{ ref('stg_users') }}

),

unknown_users as (

    select * from {{ ref('int_unknown_users') }}

),

valid_experiments as (

    select * from {{ ref('stg_experiments') }}

),

-- Each condition stands here, since Postgres would otherwise store all experiments, to read them twice.
experiments_without_run_time as (

    select * from {{ ref('int_experiments') }}
    where experiment_run_time_fault is not null

),

experiments_without_plain_list as (

    select * from {{ ref('int_experiments') }}
    where is_plain_list is not true

),

unknown_entries as (

    select * from {{ ref('int_unknown_entries') }}

),

faults (fault, row_kept, reason, remedy) as (

    values
    (
        'wrong_cell_count', false,
        'The row has {detail}.',
        'Give the row one cell for each column of the header; put cells with a separator inside in quotes.'
    ),
    ('missing_key', false, 'The {column} is missing.', 'Fill in the {column}.'),
    (
        'key_not_integer', false,
        'The {column} is not written in digits only.',
        'Write the {column} as a whole number, without a sign, a point or other characters.'
    ),
    (
        'key_too_large', false,
        'The {column} is larger than 9223372036854775807.',
        'Correct the {column}.'
    ),
    (
        'exact_duplicate', false,
        'The row repeats row {detail}.',
        'Take one of the two rows out; the first is the one that counts.'
    ),
    (
        'duplicate_key', false,
        'The row has the key of row {detail}, but other content.',
        'Decide which of the two rows is right and take the other out; the first is the one that counts.'
    ),
    (
        'unknown_user', false,
        'User {detail} is not among the valid rows of users.csv.',
        'Add the user to users.csv, or correct the user_id.'
    ),
    ('missing_date', true, 'The {column} is missing.', 'Fill in the {column} as YYYY-MM-DD.'),
    (
        'date_not_valid', true,
        'The {column} is not a day written as YYYY-MM-DD.',
        'Write the {column} as YYYY-MM-DD.'
    ),
    ('missing_run_time', true, 'The {column} is missing.', 'Fill in the {column}.'),
    ('negative_run_time', true, 'The {column} is negative.', 'Correct the {column}.'),
    (
        'run_time_too_long', true,
        'The {column} has more than 10 digits before the decimal point, or more than 18 after it.',
        'Round the {column}, or correct it.'
    ),
    (
        'run_time_not_number', true,
        'The {column} is not a plain decimal number.',
        'Write the {column} in digits with at most one decimal point, as 12.5: no sign, comma, unit or exponent.'
    ),
    (
        'no_compounds', true,
        'The list of compounds is empty.',
        'List the ids of the compounds, separated by semicolons.'
    ),
    (
        'unknown_compounds', true,
        'Left out of the list: {detail}.',
        'Separate ids by semicolons, as 1;3; add missing compounds to compounds.csv, or correct the ids.'
    )

),

rejected_in_file as (

    select
        'users.csv' as file,
        row_number,
        fault_column as column_name,
        fault,
        coalesce(fault_detail, '') as detail
    from base_users
    where fault is not null
    union all
    select
        'user_experiments.csv' as file,
        row_number,
        fault_column as column_name,
        fault,
        coalesce(fault_detail, '') as detail
    from base_experiments
    where fault is not null
    union all
    select
        'compounds.csv' as file,
        row_number,
        fault_column as column_name,
        fault,
        coalesce(fault_detail, '') as detail
    from base_compounds
    where fault is not null

),

repeated as (

    select
        file,
        row_number,
        '' as column_name,
        case when is_exact then 'exact_duplicate' else 'duplicate_key' end as fault,
        cast(first_row_number as {{ data_type('text') }}) as detail
    from repeated_rows

),

of_unknown_users as (

    select
        'user_experiments.csv' as file,
        valid_experiments.row_number,
        'user_id' as column_name,
        'unknown_user' as fault,
        cast(valid_experiments.user_id as {{ data_type('text') }}) as detail
    from valid_experiments
    inner join unknown_users on valid_experiments.user_id = unknown_users.user_id

),

without_sign_up_date as (

    select
        'users.csv' as file,
        row_number,
        'signup_date' as column_name,
        signup_date_fault as fault,
        '' as detail
    from users
    where signup_date_fault is not null

),

without_run_time as (

    select
        'user_experiments.csv' as file,
        row_number,
        'experiment_run_time' as column_name,
        experiment_run_time_fault as fault,
        '' as detail
    from experiments_without_run_time

),

without_compounds as (

    select
        'user_experiments.csv' as file,
        row_number,
        'experiment_compound_ids' as column_name,
        'no_compounds' as fault,
        '' as detail
    from experiments_without_plain_list
    where {{ trim_white_space("replace(experiment_compound_ids, ';', ' ')") }} = ''

),

unknown_entries_per_row as (

    select
        row_number,
        'not in compounds.csv: '
        || {{ joined('cast(compound_id as ' ~ data_type('text') ~ ')', ', ', 'compound_id') }} as unknown_ids,
        'not a compound id: ' || sum(entries) filter (where compound_id is null)
        || case when sum(entries) filter (where compound_id is null) = 1 then ' entry' else ' entries' end as not_ids
    from unknown_entries
    group by row_number

),

with_unknown_compounds as (

    select
        'user_experiments.csv' as file,
        row_number,
        'experiment_compound_ids' as column_name,
        'unknown_compounds' as fault,
        concat_ws('; ', unknown_ids, not_ids) as detail
    from unknown_entries_per_row

),

found as (

    select * from rejected_in_file
    union all
    select * from repeated
    union all
    select * from of_unknown_users
    union all
    select * from without_sign_up_date
    union all
    select * from without_run_time
    union all
    select * from without_compounds
    union all
    select * from with_unknown_compounds

),

final as (

    select
        found.file,
        found.row_number,
        found.column_name,

        found.fault,
        replace(replace(faults.reason, '{column}', found.column_name), '{detail}', found.detail) as reason,
        replace(replace(faults.remedy, '{column}', found.column_name), '{detail}', found.detail) as remedy,
        faults.row_kept
    from found
    left join faults on found.fault = faults.fault

)

select * from final
