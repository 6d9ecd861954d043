{#
    Replaces the rows of a raw table by those of a CSV file that is in a large object. Arguments and
    result are those of `load_csv`, with the large object's oid in place of the path.

    Ordinary lines go straight from the file to the table. Only a file with line breaks inside quotes
    is first joined to records in a temporary table.
#}
{% macro split_large_object(relation, file_oid, columns) -%}
    {%- set expected = 'the columns expected are ' ~ columns | join(', ') -%}

    {%- do run_query(csv_pieces_function()) -%}
    {%- set pieces = run_query('select * from pg_temp.csv_pieces(' ~ file_oid ~ ')').rows -%}
    {%- for piece in pieces if piece['problem'] -%}
        {{ return({'way': 'SPLIT', 'rows': 0, 'problem': piece['problem']}) }}
    {%- endfor -%}

    {%- set sources = [] -%}
    {%- for piece in pieces -%}
        {%- do sources.append(csv_lines(file_oid, piece)) -%}
    {%- endfor -%}
    {%- set delimiter = csv_delimiter(sources) -%}
    {%- if delimiter is none -%}
        {{ return({'way': 'SPLIT', 'rows': 0, 'problem': 'the file is empty; ' ~ expected ~ '.'}) }}
    {%- endif -%}

    {%- set quoted = pieces | selectattr('has_quotes') | list | length > 0 -%}
    {%- if quoted and csv_has_line_breaks_in_quotes(sources, delimiter) -%}
        {%- do run_query('drop table if exists pg_temp.csv_records') -%}
        {%- do run_query(csv_records_table(sources, delimiter)) -%}
        {%- set unclosed = run_query('select min(row_number) as row_number from pg_temp.csv_records where is_unclosed') -%}
        {%- if unclosed.rows[0]['row_number'] -%}
            {{ return({'way': 'SPLIT', 'rows': 0, 'problem':
                'the quote opened in the row that begins on line ' ~ unclosed.rows[0]['row_number']
                ~ ' is never closed; close it or take it out.'
            }) }}
        {%- endif -%}
        {%- set sources = ['select row_number, line from pg_temp.csv_records'] -%}
    {%- endif -%}
    {%- set header = csv_header(sources, delimiter) -%}

    {%- for column in columns if header.names | select('equalto', column) | list | length != 1 -%}
        {%- set fault = 'has the column ' ~ column ~ ' more than once' if column in header.names else 'lacks the column ' ~ column -%}
        {{ return({'way': 'SPLIT', 'rows': 0, 'problem':
            'the header on line ' ~ header.row_number ~ ' ' ~ fault ~ '; ' ~ expected
            ~ ', and those found are ' ~ header.names | join(', ') | truncate(400) ~ '.'
        }) }}
    {%- endfor -%}

    {%- do run_query('truncate table ' ~ relation) -%}
    {%- for source in sources -%}
        {%- do run_query(csv_insert(relation, source, columns, header, quoted)) -%}
    {%- endfor -%}
    {%- set rows = run_query('select count(*) as row_count from ' ~ relation).rows[0]['row_count'] -%}
    {{ return({'way': 'SPLIT', 'rows': rows, 'problem': none}) }}
{%- endmacro %}
