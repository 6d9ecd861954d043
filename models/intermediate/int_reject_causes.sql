{#- Columns whose cells may be shown as examples: ids, lists, run times and dates, but not names and addresses. -#}
{%- set shown_columns = {
    'users': ['user_id', 'signup_date'],
    'user_experiments': ['experiment_id', 'user_id', 'experiment_compound_ids', 'experiment_run_time'],
    'compounds': ['compound_id'],
} -%}

with

rejected_rows as (

    select * from {{ ref('int_rejected_rows') }}

),

users as (

    select * from {{ ref('users') }}

),

user_experiments as (

    select * from {{ ref('user_experiments') }}

),

compounds as (

    select * from {{ ref('compounds') }}

),

causes as (

    select
        file,
        column_name,
        code,

        count(*) as affected_rows,
        count(*) filter (where cell_state = 'empty') as empty_cells,
        -- A list with items that are not ids is in another notation, even if some of them can be read.
        count(*) filter (where cell_state = 'unusable' or code = 'unusable_compounds') as unusable_cells,
        min(row_number) as first_row_number
    from rejected_rows
    group by file, column_name, code

),

first_rows as (

    select
        causes.file,
        causes.column_name,
        causes.code,

        causes.affected_rows,
        causes.empty_cells,
        causes.unusable_cells,
        causes.first_row_number,

        rejected_rows.source_file as first_source_file,
        rejected_rows.source_row_number as first_source_row_number,

        rejected_rows.reason,
        rejected_rows.remedy,
        rejected_rows.row_kept
    from causes
    inner join rejected_rows
        on
            causes.file = rejected_rows.file
            and causes.first_row_number = rejected_rows.row_number
            and causes.column_name = rejected_rows.column_name
            and causes.code = rejected_rows.code

),

with_cell as (

    {%- for file, columns in shown_columns.items() %}
    select
        first_rows.*,
        case first_rows.column_name
            {%- for column in columns %}
            when '{{ column }}' then {{ file }}.{{ column }}
            {%- endfor %}
        end as cell
    from first_rows
    inner join {{ file }} on first_rows.first_row_number = {{ file }}.row_number
    where first_rows.file = '{{ file }}.csv'
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

-- If columns are mixed up, a cell may hold a name or an address instead of an id or a date. So a cell with an @ is
-- never an example, nor is a cell of user_id or signup_date without a digit, unless it is a single character.
with_example as (

    select
        *,
        case
            when
                cell <> ''
                and position('@' in cell) = 0
                and (
                    column_name not in ('user_id', 'signup_date')
                    or length(cell) = 1
                    or cell <> translate(cell, '0123456789', '')
                )
                then translate(cell, chr(13) || chr(10) || chr(9) || chr(27), '    ')
        end as example
    from with_cell

),

final as (

    select
        file,
        column_name,
        code,

        affected_rows,
        empty_cells,
        unusable_cells,
        first_row_number,

        first_source_file,
        first_source_row_number,

        reason,
        remedy,
        row_kept,
        case when length(example) > 40 then substr(example, 1, 40) || '…' else example end as example
    from with_example

)

select * from final
