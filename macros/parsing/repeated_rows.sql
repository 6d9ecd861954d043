{#
    A query for the rows of one file that repeat the key of an earlier row: file, row_number,
    first_row_number and is_exact, whether the row says the same as the first row with that key.

    In:  repeated_rows('users.csv', ref('base_users'), ref('users'), 'user_id', ['name', 'email'])

    Arguments: file, the name of the file; typed, its rows with row_number, key and fault; raw, the same
    rows as they came; key, the name of the key; contents, the names of the other columns.

    Grouping by the key alone and looking up only what is repeated costs far less than to sort all rows
    in a window, as repeated keys are rare. Postgres takes every third key for repeated where it reads
    `count(*) > 1`, and would hash all rows for that; `least(...) = 2` says the same, and is taken for rare.
#}
{% macro repeated_rows(file, typed, raw, key, contents) -%}
    select
        '{{ file }}' as file,
        compared_rows.row_number,
        compared_rows.first_row_number,
        compared_rows.is_exact
    from (
        select
            typed_rows.row_number,
            repeated_keys.first_row_number,
            {% for column in contents -%}
            raw_rows.{{ column }} = first_value(raw_rows.{{ column }}) over same_key{{ '' if loop.last else ' and ' }}
            {%- endfor %} as is_exact
        from (
            select
                {{ key }},
                min(row_number) as first_row_number
            from {{ typed }}
            where fault is null
            group by {{ key }}
            having least(count(*), 2) = 2
        ) as repeated_keys
        inner join {{ typed }} as typed_rows on repeated_keys.{{ key }} = typed_rows.{{ key }}
        inner join {{ raw }} as raw_rows on typed_rows.row_number = raw_rows.row_number
        where typed_rows.fault is null
        window same_key as (partition by repeated_keys.first_row_number order by typed_rows.row_number)
    ) as compared_rows
    where compared_rows.first_row_number < compared_rows.row_number
{%- endmacro %}
