{#
    Joins lines to records, where quoted cells go on over line breaks: makes the relation csv_records, one row per
    record: row_number (of its first line), line (its lines, joined again), is_unclosed (its last quote is never
    closed). Returns the relation's name.

    A line turns "inside quotes or not, where it begins" into "inside or not, where it ends". With both
    ends known for each line, the state at any line follows from the last line that ends the same way
    however it began, and from the number of lines since that turn it over.

    Arguments: sources, as of csv_header; delimiter.
#}
{% macro csv_records_table(sources, delimiter) -%}
    {%- set open_at_end = csv_patterns(delimiter).open_at_end -%}
    {%- set records -%}
with

file_lines as (
    {{ sources | join('\n    union all\n    ') }}
),

line_ends as (
    select
        row_number,
        line,
        case when position('"' in line) > 0 then {{ matches('line', open_at_end) }} end as open_if_begun_outside,
        case when position('"' in line) > 0 then {{ matches("('\"' || line)", open_at_end) }} end as open_if_begun_inside
    from file_lines
),

runs as (
    select
        row_number,
        line,
        open_if_begun_outside,
        open_if_begun_inside,
        count(case when open_if_begun_outside = open_if_begun_inside then 1 end) over (order by row_number) as run_number
    from line_ends
),

states as (
    select
        row_number,
        line,
        (
            max(case when open_if_begun_outside and open_if_begun_inside then 1 else 0 end) over (partition by run_number)
            + count(case when open_if_begun_outside and not open_if_begun_inside then 1 end)
                over (partition by run_number order by row_number)
        ) % 2 = 1 as is_open_at_end
    from runs
),

beginnings as (
    select
        row_number,
        line,
        is_open_at_end,
        coalesce(not lag(is_open_at_end) over (order by row_number), true) as begins_record
    from states
),

members as (
    select
        row_number,
        line,
        is_open_at_end,
        max(case when begins_record then row_number end) over (order by row_number) as record_row_number
    from beginnings
)

select
    record_row_number as row_number,
    {{ joined('line', '\n', 'row_number') }} as line,
    bool_and(is_open_at_end) as is_unclosed
from members
group by record_row_number
    {%- endset -%}
    {{ return(scratch_relation('csv_records', records)) }}
{%- endmacro %}
