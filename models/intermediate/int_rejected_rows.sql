with

staged_users as (

    select * from {{ ref('stg_users') }}
    where reject_reason is not null

),

staged_experiments as {{ not_materialized() }} (

    select * from {{ ref('stg_experiments') }}

),

staged_compounds as (

    select * from {{ ref('stg_compounds') }}
    where reject_reason is not null

),

duplicate_rows as {{ not_materialized() }} (

    select * from {{ ref('int_duplicate_rows') }}

),

users as (

    select * from {{ ref('int_users') }}
    where signup_date_reason is not null

),

unknown_users as (

    select * from {{ ref('int_unknown_users') }}

),

compounds as {{ not_materialized() }} (

    select * from {{ ref('int_compounds') }}

),

experiments as {{ not_materialized() }} (

    select * from {{ ref('int_experiments') }}

),

user_compounds as (

    select * from {{ ref('int_user_compounds') }}

),

parts as {{ not_materialized() }} (

    {{ loaded_parts() }}

),

reasons (code, row_kept, reason, remedy) as (

    values
    (
        'wrong_cell_count', false,
        'The row has {detail}.',
        'Give the row one cell per column, and each column a name; put cells with a separator in quotes, close each '
        'quote, and write quotes inside quotes twice.'
    ),
    ('missing_id', false, 'The {column} is missing.', 'Fill in the {column}.'),
    (
        'id_not_integer', false,
        'The {column} is not a whole number{detail}.',
        'Write the {column} as a whole number using the digits 0 to 9.'
    ),
    (
        'id_too_large', false,
        'The {column} is larger than 9223372036854775807.',
        'Correct the {column}.'
    ),
    (
        'duplicate_row', false,
        'The row is a duplicate of line {detail}.',
        'Remove one of the two rows; the first one counts.'
    ),
    (
        'duplicate_id', false,
        'The row has the same id as line {detail}, but different content.',
        'Remove the wrong one of the two rows, or merge them; the first one counts.'
    ),
    (
        'unknown_user', false,
        'User {detail} is not among the accepted rows of users.csv.',
        'Add the user to users.csv, or correct the user_id.'
    ),
    ('missing_date', true, 'The {column} is missing.', 'Fill in the {column} as YYYY-MM-DD.'),
    (
        'invalid_date', true,
        'The {column} is not a valid date that begins with its year.',
        'Write the {column} as YYYY-MM-DD.'
    ),
    (
        'ambiguous_date', true,
        'The {column} does not begin with its year, so its day and month could be confused.',
        'Write the {column} as YYYY-MM-DD.'
    ),
    ('missing_run_time', true, 'The {column} is missing.', 'Fill in the {column}.'),
    ('negative_run_time', true, 'The {column} is negative.', 'Correct the {column}.'),
    (
        'run_time_too_long', true,
        'The {column} has more than 10 digits before the decimal point, or is too small for 18 decimals.',
        'Round the {column}, or correct it.'
    ),
    (
        'run_time_not_number', true,
        'The {column} is not a number{detail}.',
        'Write the {column} using the digits 0 to 9 and at most one decimal point, such as 12.5, without a unit.'
    ),
    (
        'ambiguous_comma', true,
        'The {column} has a comma that could be a decimal mark or group its digits, as 1,234 could be 1.234 or 1234.',
        'Set FEATURES_DECIMAL to the decimal mark of the file, a comma or a point.'
    ),
    (
        'grouping_points', true,
        'The {column} has a point that, as other run times suggest, could group digits: 1.234 could be 1234.',
        'Set FEATURES_DECIMAL to the decimal mark of the file, a comma or a point.'
    ),
    (
        'comma_and_point', true,
        'The {column} has a comma, but its column also has points, so either could be the decimal mark.',
        'Write the {column} with a point (12.5), or set FEATURES_DECIMAL to the decimal mark, a comma or a point.'
    ),
    (
        'no_compounds', true,
        'The list of compounds is empty.',
        'List the ids of the compounds, separated by semicolons.'
    ),
    (
        'unknown_compounds', true,
        'Left out of the list: {detail}.',
        'Add the missing compounds to compounds.csv, or correct the ids.'
    ),
    (
        'unusable_compounds', true,
        'Left out of the list: {detail}.',
        'Write whole numbers with one kind of separator (1;3); add missing compounds to compounds.csv.'
    )

),

rejected_users as (

    select
        'users.csv' as file,
        row_number,
        case when reject_reason = 'wrong_cell_count' then '' else 'user_id' end as column_name,
        reject_reason as code,
        coalesce(reject_detail, '') as detail
    from staged_users

),

rejected_experiments as (

    select
        'user_experiments.csv' as file,
        row_number,
        case
            when reject_reason = 'wrong_cell_count' then ''
            when experiment_id is null then 'experiment_id'
            else 'user_id'
        end as column_name,
        reject_reason as code,
        coalesce(reject_detail, '') as detail
    from staged_experiments
    where reject_reason is not null

),

experiments_of_unknown_users as (

    select
        'user_experiments.csv' as file,
        staged_experiments.row_number,
        'user_id' as column_name,
        'unknown_user' as code,
        cast(unknown_users.user_id as {{ data_type('text') }}) as detail
    from staged_experiments
    inner join unknown_users on staged_experiments.user_id = unknown_users.user_id
    left join duplicate_rows
        on
            staged_experiments.row_number = duplicate_rows.row_number
            and duplicate_rows.file = 'user_experiments.csv'
    where
        staged_experiments.reject_reason is null
        and duplicate_rows.row_number is null

),

rejected_compounds as (

    select
        'compounds.csv' as file,
        row_number,
        case when reject_reason = 'wrong_cell_count' then '' else 'compound_id' end as column_name,
        reject_reason as code,
        coalesce(reject_detail, '') as detail
    from staged_compounds

),

duplicates as (

    select
        duplicate_rows.file,
        duplicate_rows.row_number,
        '' as column_name,
        case when duplicate_rows.has_same_content then 'duplicate_row' else 'duplicate_id' end as code,
        cast(duplicate_rows.first_row_number - coalesce(parts.lines_before, 0) as {{ data_type('text') }})
        || coalesce(' of ' || parts.part, '') as detail
    from duplicate_rows
    left join parts
        on
            duplicate_rows.file = parts.file
            and duplicate_rows.first_row_number > parts.lines_before
            and duplicate_rows.first_row_number <= parts.lines_through

),

without_sign_up_date as (

    select
        'users.csv' as file,
        row_number,
        'signup_date' as column_name,
        signup_date_reason as code,
        '' as detail
    from users

),

experiments_with_unusable_cells as (

    select
        row_number,
        compound_ids,
        experiment_run_time_reason,
        reject_detail
    from experiments
    where
        experiment_run_time_reason is not null
        or {{ list_size('compound_ids') }} = 0
        or {{ count_nulls('compound_ids') }} > 0

),

without_run_time as (

    select
        'user_experiments.csv' as file,
        row_number,
        'experiment_run_time' as column_name,
        experiment_run_time_reason as code,
        coalesce(reject_detail, '') as detail
    from experiments_with_unusable_cells
    where experiment_run_time_reason is not null

),

without_compounds as (

    select
        'user_experiments.csv' as file,
        row_number,
        'experiment_compound_ids' as column_name,
        'no_compounds' as code,
        '' as detail
    from experiments_with_unusable_cells
    where {{ list_size('compound_ids') }} = 0

),

-- Only the lists of these users are searched for unknown compounds.
users_with_unknown_compounds as (

    select distinct user_compounds.user_id
    from user_compounds
    left join compounds on user_compounds.compound_id = compounds.compound_id
    where compounds.compound_id is null

),

items_of_those_users as (

    select
        experiments.row_number,
        {{ list_size('experiments.compound_ids') }} as items_listed,
        listed.compound_id
    from experiments
    inner join users_with_unknown_compounds on experiments.user_id = users_with_unknown_compounds.user_id
    cross join {{ unnest_all('experiments.compound_ids', 'listed', 'compound_id') }}
    where listed.compound_id is not null

),

unusable_items as (

    select
        items_of_those_users.row_number,
        items_of_those_users.compound_id,
        count(*) as items,
        max(items_of_those_users.items_listed) as items_listed
    from items_of_those_users
    left join compounds on items_of_those_users.compound_id = compounds.compound_id
    where compounds.compound_id is null
    group by items_of_those_users.row_number, items_of_those_users.compound_id
    union all
    select
        row_number,
        cast(null as bigint) as compound_id,
        {{ count_nulls('compound_ids') }} as items,
        {{ list_size('compound_ids') }} as items_listed
    from experiments_with_unusable_cells
    where {{ count_nulls('compound_ids') }} > 0

),

unusable_items_per_row as (

    select
        row_number,
        'not in compounds.csv: '
        || {{ joined('cast(compound_id as ' ~ data_type('text') ~ ')', ', ', 'compound_id') }} as unknown_ids,
        'not a compound id: ' || sum(items) filter (where compound_id is null)
        || case when sum(items) filter (where compound_id is null) = 1 then ' item' else ' items' end as not_ids,
        sum(items) < max(items_listed) as is_partly_used
    from unusable_items
    group by row_number

),

with_unusable_compounds as (

    select
        'user_experiments.csv' as file,
        row_number,
        'experiment_compound_ids' as column_name,
        case when not_ids is null then 'unknown_compounds' else 'unusable_compounds' end as code,
        concat_ws('; ', unknown_ids, not_ids) as detail,
        is_partly_used
    from unusable_items_per_row

),

other_rejects as (

    select * from rejected_users
    union all
    select * from rejected_experiments
    union all
    select * from experiments_of_unknown_users
    union all
    select * from rejected_compounds
    union all
    select * from duplicates
    union all
    select * from without_sign_up_date
    union all
    select * from without_run_time
    union all
    select * from without_compounds

),

found as (

    select
        *,
        false as is_partly_used
    from other_rejects
    union all
    select * from with_unusable_compounds

),

final as (

    select
        found.file,
        found.row_number,
        found.column_name,
        coalesce(parts.part, found.file) as source_file,
        found.row_number - coalesce(parts.lines_before, 0) as source_row_number,

        found.code,
        case
            when not reasons.row_kept then null
            when found.code in ('missing_date', 'missing_run_time', 'no_compounds') then 'empty'
            when found.is_partly_used then 'partly used'
            else 'unusable'
        end as cell_state,
        replace(replace(reasons.reason, '{column}', found.column_name), '{detail}', found.detail) as reason,
        replace(replace(reasons.remedy, '{column}', found.column_name), '{detail}', found.detail) as remedy,
        reasons.row_kept
    from found
    left join reasons on found.code = reasons.code
    left join parts
        on
            found.file = parts.file
            and found.row_number > parts.lines_before
            and found.row_number <= parts.lines_through

)

select * from final
