{#
    `load_csv` on DuckDB, which reads the file itself, line by line, and takes the lines apart in SQL.

    DuckDB takes each carriage return for a line end, and it has to be told of a character that is in no line, in
    place of a separator: `modules.line_file` finds one, and rewrites a file with carriage returns.
#}
{% macro duckdb__load_csv(relation, path, columns) -%}
    {%- set file = modules.line_file(path) -%}
    {%- if file.problem -%}
        {{ return({'way': 'READ', 'rows': 0, 'problem': file.problem}) }}
    {%- endif -%}
    {%- set line = "coalesce(line, '')" -%}
    {%- if file.carriage_return -%}
        {%- set line = 'replace(' ~ line ~ ', chr(' ~ file.carriage_return ~ '), chr(13))' -%}
    {%- endif -%}
    {%- set source = 'select row_number() over () as row_number, ' ~ line ~ ' as line from read_csv(' ~ text_literal(file.path)
        ~ ", columns = {'line': 'varchar'}, header = false, auto_detect = false, quote = '', escape = '', delim = chr("
        ~ file.absent ~ '), max_line_size = ' ~ file.longest_line ~ ')' -%}
    {%- set loaded = load_lines(relation, [source], columns, file.has_quotes) -%}
    {%- do file.close() -%}
    {{ return(dict(loaded, way='READ')) }}
{%- endmacro %}
