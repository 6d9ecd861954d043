{#
    Replaces the rows of a raw table with those of a file, in the current transaction. If `rows.problem` (a
    sentence) is set afterwards, the transaction must not be committed.

    Arguments: relation, the raw table; rows, the result of `modules.seed_rows`.
#}
{% macro load_rows(relation, rows) -%}
    {%- do adapter.dispatch('load_rows')(relation, rows, get_quoted_csv(rows.columns)) if not rows.problem -%}
{%- endmacro %}

{#
    COPY numbers all records it reads, including those that its condition excludes.

    Rows are frozen: otherwise, the first query would mark each one as committed and write most of the table again. A vacuum
    would record such a table as empty, so statistics are collected in the same transaction. Each load replaces all rows, so
    autovacuum would only delay the next one.
#}
{% macro postgres__load_rows(relation, rows, columns) -%}
    {%- do run_query(
        'truncate table ' ~ relation ~ '; alter table ' ~ relation ~ ' alter column row_number restart with 1, set (autovacuum_enabled = false)'
    ) -%}
    {%- set cursor = adapter.add_query('select 1')[0].handle.cursor() -%}
    {%- do cursor.copy_expert(
        'copy ' ~ relation ~ ' (' ~ columns ~ ") from stdin with (format csv, delimiter '" ~ rows.separator
        ~ "', encoding 'UTF8', freeze, force_not_null (" ~ columns ~ ')) where ' ~ adapter.quote(rows.columns[0]) ~ " <> '" ~ rows.marker ~ "'", rows
    ) -%}
    {%- if not rows.problem -%}
        {%- do cursor.copy_expert('copy ' ~ relation ~ ' (row_number, row_fault, row_text) from stdin with (format csv)', rows.rejected) -%}
        {%- do run_query('analyze ' ~ relation) -%}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__load_rows(relation, rows, columns) -%}
    {%- set path = rows.save() -%}
    {%- if not rows.problem -%}
        {%- set options = ", header = false, auto_detect = false, quote = '\"', escape = '\"', new_line = '\\n', max_line_size = 8388608, nullstr = '" ~ rows.marker ~ "')" -%}
        {%- do run_query('truncate table ' ~ relation) -%}
        {%- do run_query(
            'insert into ' ~ relation ~ ' (row_number, ' ~ columns ~ ') select * from (select row_number() over () as row_number, * from read_csv('
            ~ text_literal(path) ~ ", columns = {'" ~ rows.columns | join("': 'varchar', '") ~ "': 'varchar'}, delim = '" ~ rows.separator ~ "'" ~ options
            ~ ') as records where ' ~ adapter.quote(rows.columns[0]) ~ ' is not null'
        ) -%}
        {%- do run_query(
            'insert into ' ~ relation ~ ' (row_number, row_fault, row_text) select * from read_csv(' ~ text_literal(path ~ '.rejected')
            ~ ", columns = {'row_number': 'bigint', 'row_fault': 'varchar', 'row_text': 'varchar'}, delim = ','" ~ options
        ) -%}
    {%- endif -%}
{%- endmacro %}

{# Without lineSep, Spark treats the first line end that it finds, even inside quotes, as that of the file, and converts all others to it. #}
{% macro spark__load_rows(relation, rows, columns) -%}
    {%- set path = rows.save(numbered=true) -%}
    {%- if not rows.problem -%}
        {%- do run_query(
            'create or replace temporary view ' ~ relation.identifier ~ '_file (' ~ typed(['row_number'] + rows.columns + ['row_fault', 'row_text'], 'string')
            ~ ") using csv options (path '" ~ path ~ "', sep ',', quote '\"', escape '\"', multiLine 'true', lineSep '\n', nullValue '" ~ rows.marker
            ~ "', emptyValue '')"
        ) -%}
        {%- do run_query(
            'insert overwrite table ' ~ relation ~ ' select cast(row_number as bigint), '
            ~ get_quoted_csv(column_names(relation)[1:]) ~ ' from ' ~ relation.identifier ~ '_file'
        ) -%}
    {%- endif -%}
{%- endmacro %}
