{#
    A query for the rows of a raw table: lines taken apart into cells. Blank lines and repetitions of the header are
    left out; of a row with the wrong number of cells only its text is kept.

    (Jinja's `indent` would break the patterns at each of their characters that ends a line.)

    Arguments: source, a query for lines (row_number, line); columns, those of the table; header, as csv_header
    gives it; quoted, whether there may be double quotes in the lines.
#}
{% macro csv_rows(source, columns, header, quoted) -%}
    {%- set cell_count = header.cells | length -%}
    {%- set size = list_size('cells') -%}
with

lines_of_cells as (
    select
        row_number,
        line,
        {{ csv_cells('line', header.delimiter, quoted) }} as cells
    from ({{ source }}) as file_lines
    where row_number > {{ header.row_number }}
    {{ evaluate_once() }}
),

trimmed as (
    select
        row_number,
        {% for column in columns -%}
        case when {{ size }} = {{ cell_count }} then {{ trim_white_space(list_item('cells', header.names.index(column) + 1)) }} end as {{ column }},
        {% endfor -%}
        case
            when {{ size }} <> {{ cell_count }}
                then {{ size }} || case when {{ size }} = 1 then ' cell' else ' cells' end || ' where the header has {{ cell_count }}'
        end as row_fault,
        case when {{ size }} <> {{ cell_count }} then line end as row_text
    from lines_of_cells
    where {{ trim_white_space('line') }} <> ''
)

select row_number, {{ columns | join(', ') }}, row_fault, row_text
from trimmed
where
    row_fault is not null
    {% for column in columns -%}
    or {{ column }} <> {{ text_literal(header.cells[header.names.index(column)]) }}
    {% endfor -%}
{%- endmacro %}
