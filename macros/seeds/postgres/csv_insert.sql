{#
    The statement that splits lines into cells and writes them to a raw table. Blank lines and
    repetitions of the header are left out; of a row with the wrong number of cells only its text is kept.

    Arguments: relation, the raw table; source, a query for lines (row_number, line); columns, those of
    the table; header, as csv_header gives it; quoted, whether there may be double quotes in the lines.
#}
{% macro csv_insert(relation, source, columns, header, quoted) -%}
    {%- set cell_count = header.cells | length -%}
insert into {{ relation }} (row_number, {{ columns | join(', ') }}, row_fault, row_text)
with

{# `offset 0` keeps the planner from splitting the line anew for every column. #}
lines as (
    select
        row_number,
        line,
        {{ csv_cells('line', header.delimiter, quoted) | indent(8) }} as cells
    from ({{ source }}) as source
    where row_number > {{ header.row_number }}
    offset 0
),

trimmed as (
    select
        row_number,
        {% for column in columns -%}
        case when cardinality(cells) = {{ cell_count }} then btrim(cells[{{ header.names.index(column) + 1 }}], {{ white_space() }}) end as {{ column }},
        {% endfor -%}
        case
            when cardinality(cells) <> {{ cell_count }}
                then format(
                '%s cell%s where the header has %s',
                cardinality(cells), case when cardinality(cells) = 1 then '' else 's' end, {{ cell_count }}
            )
        end as row_fault,
        case when cardinality(cells) <> {{ cell_count }} then line end as row_text
    from lines
    where btrim(line, {{ white_space() }}) <> ''
)

select row_number, {{ columns | join(', ') }}, row_fault, row_text
from trimmed
where
    row_fault is not null
    {% for column in columns -%}
    or {{ column }} <> '{{ header.cells[header.names.index(column)] | replace("'", "''") }}'
    {% endfor -%}
{%- endmacro %}
