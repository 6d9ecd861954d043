{#
    Makes sure that the raw table of a seed exists with the right columns. A table that has them is
    left alone, rows included, so that the views on it stand; one with other columns (of an older
    version of this project) is dropped with its views and made again.

    Beside the file's columns, all of them text, a raw table has:
      row_number  the line of the file on which the row begins, header and blank lines counted
      row_fault   for a row with the wrong number of cells, which then are not told apart: what is wrong
      row_text    for such a row: the row itself
#}
{% macro create_raw_table(relation, columns) -%}
    {%- set wanted = ['row_number'] + columns + ['row_fault', 'row_text'] -%}
    {%- set existing = adapter.get_relation(relation.database, relation.schema, relation.identifier) -%}
    {%- if existing is not none
        and adapter.get_columns_in_relation(existing) | map(attribute='name') | list != wanted -%}
        {%- do adapter.drop_relation(existing) -%}
        {%- set existing = none -%}
    {%- endif -%}
    {%- if existing is none -%}
        {%- do run_query(
            'create table ' ~ relation ~ ' (row_number bigint not null, '
            ~ columns | join(' text, ') ~ ' text, row_fault text, row_text text)'
        ) -%}
        {%- do run_query(
            'comment on column ' ~ relation ~ ".row_number is 'The line of the file on which the row begins.';"
            ~ 'comment on column ' ~ relation ~ ".row_fault is 'What is wrong with the number of cells; null where it is right.';"
            ~ 'comment on column ' ~ relation ~ ".row_text is 'The row itself, where the number of cells is wrong.'"
        ) -%}
    {%- endif -%}
{%- endmacro %}
