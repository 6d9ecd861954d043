{#
    Replaces the rows of a raw table by those of a CSV file whose lines the engine can read. The result is that of
    `load_csv`, without the way.

    Ordinary lines go straight from the file to the table. Only a file with line breaks inside quotes
    is first joined to records.

    Arguments: relation, the raw table; sources, a query for the lines of each piece of the file, in order, with the
    columns row_number and line; columns, those of the table; quoted, whether there are double quotes in the file.
#}
{% macro load_lines(relation, sources, columns, quoted) -%}
    {%- set expected = 'the columns expected are ' ~ columns | join(', ') -%}
    {%- set delimiter = csv_delimiter(sources) -%}
    {%- if delimiter is none -%}
        {{ return({'rows': 0, 'problem': 'the file is empty; ' ~ expected ~ '.'}) }}
    {%- endif -%}

    {%- if quoted and csv_has_line_breaks_in_quotes(sources, delimiter) -%}
        {%- set records = csv_records_table(sources, delimiter) -%}
        {%- set unclosed = run_query('select min(row_number) as row_number from ' ~ records ~ ' where is_unclosed') -%}
        {%- if unclosed.rows[0]['row_number'] -%}
            {{ return({'rows': 0, 'problem':
                'the quote opened in the row that begins on line ' ~ unclosed.rows[0]['row_number']
                ~ ' is never closed; close it or take it out.'
            }) }}
        {%- endif -%}
        {%- set sources = ['select row_number, line from ' ~ records] -%}
    {%- endif -%}
    {%- set header = csv_header(sources, delimiter) -%}

    {%- for column in columns if header.names | select('equalto', column) | list | length != 1 -%}
        {%- set fault = 'has the column ' ~ column ~ ' more than once' if column in header.names else 'lacks the column ' ~ column -%}
        {{ return({'rows': 0, 'problem':
            'the header on line ' ~ header.row_number ~ ' ' ~ fault ~ '; ' ~ expected
            ~ ', and those found are ' ~ header.names | join(', ') | truncate(400) ~ '.'
        }) }}
    {%- endfor -%}

    {%- set queries = [] -%}
    {%- for source in sources -%}
        {%- do queries.append(csv_rows(source, columns, header, quoted)) -%}
    {%- endfor -%}
    {{ return({'rows': replace_rows(relation, columns, queries), 'problem': none}) }}
{%- endmacro %}
