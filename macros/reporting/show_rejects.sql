{#
    Prints why rows and cells could not be used: the causes first, then every row with its text. They are from the last run
    that checked the rows, whether it published or not.

    Arguments: file, a CSV file to write the rows to instead of printing them; by default the value of the environment
    variable REJECTS_FILE.
#}
{% macro show_rejects(file=none) -%}
    {%- set file = file or env_var('REJECTS_FILE', '') -%}
    {%- set staging = target.schema ~ '_staging' -%}
    {%- set rejected = adapter.get_relation(target.database, staging, 'int_rejected_rows') -%}
    {%- set row_text = adapter.get_relation(target.database, staging, 'int_rejected_row_text') -%}
    {%- set published = adapter.get_relation(target.database, target.schema, 'rejected_rows') -%}
    {%- if rejected is none or row_text is none -%}
        {%- do exceptions.raise_compiler_error('No run has checked the rows yet; start the first one with `make run`.') -%}
    {%- endif -%}
    {%- set columns = 'file, row_number, column_name, reason, remedy, row_kept' -%}
    {%- set own_columns = 'source_' ~ columns.replace(' row_number', ' source_row_number') -%}
    {%- set is_published = published is not none and run_query(
        '(select ' ~ own_columns ~ ' from ' ~ rejected ~ ' except select ' ~ columns ~ ' from ' ~ published ~ ') union all '
        ~ '(select ' ~ columns ~ ' from ' ~ published ~ ' except select ' ~ own_columns ~ ' from ' ~ rejected ~ ') limit 1'
    ).rows | length == 0 -%}
    {%- do print(
        'Rejected rows and cells of what is published:' if is_published
        else 'Rejected rows and cells of the last run, which published nothing; ' ~ target.schema ~ '.rejected_rows is from an earlier one:'
    ) -%}
    {%- for sentence in reject_sentences(most=1000) -%}
        {%- do print(sentence) -%}
    {%- endfor -%}
    {%- set text = 'texts.row_text' if file else "replace(replace(texts.row_text, chr(13), ''), chr(10), '⏎')" -%}
    {%- set rows -%}
select
    rejected.source_file as file,
    rejected.source_row_number as row_number,
    rejected.column_name,
    rejected.reason,
    rejected.remedy,
    rejected.row_kept,
    {{ text }} as row_text
from {{ rejected }} as rejected
left join {{ row_text }} as texts on rejected.source_file = texts.file and rejected.source_row_number = texts.row_number
order by rejected.file, rejected.row_number, rejected.column_name
    {%- endset -%}
    {%- set table = run_query(rows) -%}
    {%- if file -%}
        {%- do table.to_csv(file) -%}
        {%- do print(table.rows | length ~ ' rows were written to ' ~ file ~ '.') -%}
    {%- elif table.rows -%}
        {%- do table.print_table(max_rows=none, max_columns=none, max_column_width=none) -%}
    {%- else -%}
        {%- do print('There are none.') -%}
    {%- endif -%}
{%- endmacro %}
