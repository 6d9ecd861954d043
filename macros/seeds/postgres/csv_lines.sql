{#
    A query for the lines of one piece of a file, one row per line: row_number, line.

    In:  csv_lines(16442, {'first_byte': 0, 'byte_count': 420, 'first_line': 1, 'cr_only': false, ...})
#}
{% macro csv_lines(file_oid, piece) -%}
    {%- set piece_text = "convert_from(lo_get(" ~ file_oid ~ ", " ~ piece['first_byte'] ~ ", " ~ piece['byte_count'] ~ "), 'UTF8')" -%}
    {%- if piece['cr_only'] -%}
        {%- set piece_text = "translate(" ~ piece_text ~ ", E'\\r', E'\\n')" -%}
    {%- endif -%}
    select numbered.ordinality + {{ piece['first_line'] - 1 }} as row_number, numbered.line
    from string_to_table({{ piece_text }}, E'\n') with ordinality as numbered (line, ordinality)
{%- endmacro %}
