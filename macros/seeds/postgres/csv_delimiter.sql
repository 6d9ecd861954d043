{#
    The separator of a file: the first of comma, tab and semicolon that stands in its header outside
    quotes; comma where none does; none where all lines are blank.

    In:  csv_delimiter(['select row_number, line from ...', ...])       Out: '\t'

    Arguments: sources, a query for each piece of the file, in order, with the columns row_number and line.

    The header is the first line that is not blank, with the lines behind it for as long as its quotes do
    not pair: what a record is can be told only when the separator is known.
#}
{% macro csv_delimiter(sources) -%}
    {%- for source in sources -%}
        {%- set header_lines = run_query(
            "select line, sum(length(line) - length(replace(line, '\"', ''))) over (order by row_number) as quotes from ("
            ~ "select row_number, line from (" ~ source ~ ") as lines"
            ~ " where btrim(line, " ~ white_space() ~ ") <> '' order by row_number limit 100) as first_lines order by row_number"
        ).rows -%}
        {%- if header_lines | length > 0 -%}
            {%- set header = namespace(text='', is_whole=false) -%}
            {%- for row in header_lines if not header.is_whole -%}
                {%- set header.text = header.text ~ row['line'] ~ '\n' -%}
                {%- set header.is_whole = row['quotes'] % 2 == 0 -%}
            {%- endfor -%}
            {%- set header_text = header.text if header.is_whole else header_lines[0]['line'] -%}
            {%- set outside_quotes = modules.re.sub('"[^"]*"', '', header_text) -%}
            {{ return(',' if ',' in outside_quotes else '\t' if '\t' in outside_quotes else ';' if ';' in outside_quotes else ',') }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(none) }}
{%- endmacro %}
