{#
    A query for the rows of one file that repeat the key of an earlier row: file, row_number,
    first_row_number and is_exact, whether the row says the same as the first row with that key.

    In:  repeated_rows('users.csv', ref('base_users'), ref('users'), 'user_id', ['name', 'email'])

    Arguments: file, the name of the file; typed, its rows with row_number, key and fault; raw, the same
    rows as they came; key, the name of the key; contents, the names of the other columns.

    Grouping by the key alone and looking up only what is repeated costs far less than to sort all rows
    in a window, as repeated keys are rare.
#}
{% macro repeated_rows(file, typed, raw, key, contents) -%}
    select
        '{{ file }}' as file,
        later_rows.row_number,
        repeated_keys.first_row_number,
        {% for column in contents -%}
        later_raw_rows.{{ column }} = first_raw_rows.{{ column }}{{ '' if loop.last else ' and ' }}
        {%- endfor %} as is_exact
    from (
        select
            {{ key }},
            min(row_number) as first_row_number
        from {{ typed }}
        where fault is null
        group by {{ key }}
        having count(*) > 1
    ) as repeated_keys
    inner join {{ typed }} as later_rows
        on
            repeated_keys.{{ key }} = later_rows.{{ key }}
            and repeated_keys.first_row_number < later_rows.row_number
    inner join {{ raw }} as later_raw_rows on later_rows.row_number = later_raw_rows.row_number
    inner join {{ raw }} as first_raw_rows on repeated_keys.first_row_number = first_raw_rows.row_number
    where later_rows.fault is null
{%- endmacro %}
