{#
    The header of a file: its first line (or record) that is not blank.

    In:  csv_header(['select row_number, line from ...', ...], ',')
    Out: {'row_number': 2, 'delimiter': ',', 'cells': ['User_ID', 'name'], 'names': ['user_id', 'name']}

    Arguments: sources and delimiter, as of csv_delimiter.
#}
{% macro csv_header(sources, delimiter) -%}
    {%- for source in sources -%}
        {%- set header = run_query(
            "select header.row_number, btrim(cells.cell, " ~ white_space() ~ ") as cell from ("
            ~ "select row_number, " ~ csv_cells('line', delimiter, true) ~ " as cells from (" ~ source ~ ") as lines"
            ~ " where btrim(line, " ~ white_space() ~ ") <> '' order by row_number limit 1) as header"
            ~ " cross join unnest(header.cells) with ordinality as cells (cell, place) order by cells.place"
        ).rows -%}
        {%- if header | length > 0 -%}
            {%- set cells = [] -%}
            {%- for row in header -%}
                {%- do cells.append(row['cell'] or '') -%}
            {%- endfor -%}
            {{ return({
                'row_number': header[0]['row_number'] | int, 'delimiter': delimiter,
                'cells': cells, 'names': cells | map('lower') | list
            }) }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
