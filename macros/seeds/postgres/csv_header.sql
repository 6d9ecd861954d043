{#
    The header of a file: its first line that is not blank.

    In:  csv_header(['select row_number, line from ...', ...])
    Out: {'row_number': 2, 'delimiter': ',', 'cells': ['User_ID', 'name'], 'names': ['user_id', 'name']},
         or none where all lines are blank

    Arguments: sources, a query for each piece of the file, in order, with the columns row_number and line.

    The separator is the first of comma, tab and semicolon that stands in the header outside quotes.
#}
{% macro csv_header(sources) -%}
    {%- for source in sources -%}
        {%- set header = run_query(
            "select row_number, line, regexp_replace(line, '\"[^\"]*\"', '', 'g') as outside_quotes from (" ~ source ~ ") as lines"
            ~ " where btrim(line, " ~ white_space() ~ ") <> '' order by row_number limit 1"
        ).rows -%}
        {%- if header | length == 1 -%}
            {%- set outside_quotes = header[0]['outside_quotes'] -%}
            {%- set delimiter = ',' if ',' in outside_quotes else '\t' if '\t' in outside_quotes
                else ';' if ';' in outside_quotes else ',' -%}
            {%- set cells = [] -%}
            {%- set source_line = "(select line from (" ~ source ~ ") as lines where row_number = " ~ header[0]['row_number'] ~ ")" -%}
            {%- for row in run_query(
                "select btrim(cell, " ~ white_space() ~ ") as cell from unnest((select "
                ~ csv_cells('line', delimiter, true) ~ " from " ~ source_line
                ~ " as header)) with ordinality as cells (cell, position) order by position"
            ).rows -%}
                {%- do cells.append(row['cell'] or '') -%}
            {%- endfor -%}
            {{ return({
                'row_number': header[0]['row_number'] | int, 'delimiter': delimiter,
                'cells': cells, 'names': cells | map('lower') | list
            }) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(none) }}
{%- endmacro %}
