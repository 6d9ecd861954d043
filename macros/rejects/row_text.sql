{#
    A query for the text of the rejected rows of one file: as it is in the file, if the row cannot be split into its columns;
    otherwise its cells, trimmed, as a line of CSV that is quoted only where necessary.

    In:  row_text('users.csv', ref('users'))

    Arguments: file, its name; raw, the raw table. The query reads a relation rejected_rows,
    with file, row_number, source_file and source_row_number.
#}
{% macro row_text(file, raw) -%}
    select
        rejected_rows.source_file as file,
        rejected_rows.source_row_number as row_number,

        coalesce(raw_rows.row_text, concat_ws(
            ','
            {%- for column in file_columns(file) %},
            case
                when raw_rows.{{ column }} <> translate(raw_rows.{{ column }}, ',"' || chr(10) || chr(13), '')
                    then '"' || replace(raw_rows.{{ column }}, '"', '""') || '"'
                else raw_rows.{{ column }}
            end
            {%- endfor %}
        )) as row_text
    from rejected_rows
    inner join {{ raw }} as raw_rows on rejected_rows.row_number = raw_rows.row_number
    where rejected_rows.file = '{{ file }}'
{%- endmacro %}
