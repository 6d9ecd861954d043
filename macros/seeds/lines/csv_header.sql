{#
    The header of a file: its first line (or record) that is not blank.

    In:  csv_header(['select row_number, line from ...', ...], ',')
    Out: {'row_number': 2, 'delimiter': ',', 'cells': ['User_ID', 'name'], 'names': ['user_id', 'name']}

    Arguments: sources and delimiter, as of csv_delimiter.
#}
{% macro csv_header(sources, delimiter) -%}
    {%- for source in sources -%}
        {%- set first = run_query(
            "select row_number, '>' || line as line from (" ~ source ~ ") as file_lines where " ~ trim_white_space('line') ~ " <> '' order by row_number limit 1"
        ).rows -%}
        {%- if first | length > 0 -%}
            {%- set cells = [] -%}
            {%- for quoted, behind, unquoted in modules.re.findall(csv_patterns(delimiter).cell, first[0]['line'][1:] ~ delimiter) -%}
                {%- do cells.append((quoted | replace('""', '"') ~ behind ~ unquoted).strip(white_space_characters())) -%}
            {%- endfor -%}
            {{ return({
                'row_number': first[0]['row_number'] | int, 'delimiter': delimiter,
                'cells': cells, 'names': cells | map('lower') | list
            }) }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
