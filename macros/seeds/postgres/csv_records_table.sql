{#
    The statement that joins lines to records, where quoted cells go on over line breaks. It makes the
    temporary table csv_records, one row per record: row_number (of its first line), line (its lines,
    joined again), is_unclosed (its last quote is never closed).

    A line turns "inside quotes or not, where it begins" into "inside or not, where it ends". With both
    ends known for each line, the state at any line follows from the last line that ends the same way
    however it began, and from the number of lines since that turn it over.

    Arguments: sources, as of csv_header; delimiter.
#}
{% macro csv_records_table(sources, delimiter) -%}
create temporary table csv_records on commit drop as
with

lines as (
    {{ sources | join('\n    union all\n    ') }}
),

line_ends as (
    select
        row_number,
        line,
        case when position('"' in line) > 0 then line ~ '{{ csv_patterns(delimiter).open_at_end }}' end as open_if_begun_outside,
        case when position('"' in line) > 0 then '"' || line ~ '{{ csv_patterns(delimiter).open_at_end }}' end as open_if_begun_inside
    from lines
),

runs as (
    select
        *,
        count(*) filter (where open_if_begun_outside = open_if_begun_inside) over (order by row_number) as run_number
    from line_ends
),

states as (
    select
        row_number,
        line,
        (
            coalesce(bool_or(open_if_begun_outside) filter (where open_if_begun_outside = open_if_begun_inside)
                over (partition by run_number), false)::integer
            + count(*) filter (where open_if_begun_outside and not open_if_begun_inside)
                over (partition by run_number order by row_number)
        ) % 2 = 1 as is_open_at_end
    from runs
),

beginnings as (
    select
        row_number,
        line,
        is_open_at_end,
        not lag(is_open_at_end, 1, false) over (order by row_number) as begins_record
    from states
),

members as (
    select
        row_number,
        line,
        is_open_at_end,
        max(row_number) filter (where begins_record) over (order by row_number) as record_row_number
    from beginnings
)

select
    record_row_number as row_number,
    string_agg(line, E'\n' order by row_number) as line,
    bool_and(is_open_at_end) as is_unclosed
from members
group by record_row_number
{%- endmacro %}
