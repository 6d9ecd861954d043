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
    {%- if existing is not none and (
        adapter.get_columns_in_relation(existing) | map(attribute='name') | list != wanted
        or not raw_table_numbers_rows(existing)
    ) -%}
        {%- do adapter.drop_relation(existing) -%}
        {%- set existing = none -%}
    {%- endif -%}
    {%- if existing is none -%}
        {%- do run_query(raw_table_definition(relation, columns)) -%}
    {%- endif -%}
{%- endmacro %}
