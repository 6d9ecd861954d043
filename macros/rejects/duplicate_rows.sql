{#
    A query for the rows of one file that have the same id as an earlier row: file, row_number, first_row_number and
    has_same_content (whether all other cells are the same as in the first row with that id). Rows that are rejected for
    another reason are ignored.

    In:  duplicate_rows('users.csv', ref('stg_users'), ref('users'), 'user_id')

    Arguments: file, its name; staged, its staging model; raw, its raw table; id, the column with the id.

    Duplicates are rare, so grouping by the id and comparing only the duplicates costs far less than a window over all
    rows. With `count(*) > 1`, Postgres would expect a third of the ids to be duplicates, and hash all rows to compare them;
    `least(...) = 2` means the same, but Postgres expects it to be rare.
#}
{% macro duplicate_rows(file, staged, raw, id) -%}
    select
        '{{ file }}' as file,
        compared_rows.row_number,
        compared_rows.first_row_number,
        compared_rows.has_same_content
    from (
        select
            staged_rows.row_number,
            duplicate_ids.first_row_number,
            {% for column in file_columns(file) if column != id -%}
            raw_rows.{{ column }} is not distinct from first_value(raw_rows.{{ column }}) over same_id and {{ '' }}
            {%- endfor %}true as has_same_content
        from (
            select
                {{ id }},
                min(row_number) as first_row_number
            from {{ staged }}
            where reject_reason is null
            group by {{ id }}
            having least(count(*), 2) = 2
        ) as duplicate_ids
        inner join {{ staged }} as staged_rows on duplicate_ids.{{ id }} = staged_rows.{{ id }}
        inner join {{ raw }} as raw_rows on staged_rows.row_number = raw_rows.row_number
        where staged_rows.reject_reason is null
        window same_id as (partition by duplicate_ids.first_row_number order by staged_rows.row_number)
    ) as compared_rows
    where compared_rows.first_row_number < compared_rows.row_number
{%- endmacro %}
