{#
    The separator of a file: the first of comma, tab and semicolon that stands in its header outside
    quotes; comma where none does; none where all lines are blank.

    In:  csv_delimiter(['select row_number, line from ...', ...])       Out: '\t'

    Arguments: sources, a query for each piece of the file, in order, with the columns row_number and line.

    The header is the first line that is not blank, with the lines behind it for as long as its quotes do
    not pair: what a record is can be told only when the separator is known. (A text that is null to dbt's own reader of results,
    such as `null`, would be lost; hence the character in front.)
#}
{% macro csv_delimiter(sources) -%}
    {%- for source in sources -%}
        {%- set header_lines = run_query(
            "select '>' || line as line from (" ~ source ~ ") as file_lines where " ~ trim_white_space('line') ~ " <> '' order by row_number limit 100"
        ).rows -%}
        {%- if header_lines | length > 0 -%}
            {%- set header = namespace(text='', is_whole=false) -%}
            {%- for row in header_lines if not header.is_whole -%}
                {%- set header.text = header.text ~ row['line'][1:] ~ '\n' -%}
                {%- set header.is_whole = header.text.count('"') % 2 == 0 -%}
            {%- endfor -%}
            {%- set header_text = header.text if header.is_whole else header_lines[0]['line'][1:] -%}
            {%- set outside_quotes = modules.re.sub('"[^"]*"', '', header_text) -%}
            {{ return(',' if ',' in outside_quotes else '\t' if '\t' in outside_quotes else ';' if ';' in outside_quotes else ',') }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(none) }}
{%- endmacro %}
