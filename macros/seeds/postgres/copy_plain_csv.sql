{#
    `load_csv` for a plain file: one COPY, which numbers the rows by the identity of row_number and leaves
    out the repetitions of the header. The few records that are not plain are then taken apart one by one.

    Arguments: relation, the raw table; columns, those of the table; file, what `modules.plain_csv` returned.
#}
{% macro copy_plain_csv(relation, columns, file) -%}
    {%- set names = file.header | map('lower') | list -%}
    {%- set copy -%}
copy {{ relation }} ({{ names | join(', ') }}) from stdin with (
    format csv, delimiter E'{{ file.delimiter | replace('\t', '\\t') }}', encoding 'UTF8',
    -- An empty cell is an empty text, as it is for the rows of any other file.
    force_not_null ({{ names | join(', ') }})
)
where
    -- What stands for the lines of an odd record.
    {{ names[0] }} <> E'\x02'
    and (
        {% for name in file.header -%}
        {{ 'or ' if not loop.first }}{{ name | lower }} <> '{{ name | replace("'", "''") }}'
        {% endfor -%}
    )
    {%- endset -%}
    {%- do run_query('truncate table ' ~ relation) -%}
    {%- do run_query('alter table ' ~ relation ~ ' alter column row_number restart with ' ~ file.first_row_number) -%}
    {%- set cursor = adapter.add_query('select 1')[0].handle.cursor() -%}
    {%- do cursor.copy_expert(copy, file, 65536) -%}
    {%- if file.has_changed -%}
        {{ return({'way': 'COPY', 'rows': 0, 'problem': 'the file changed while it was loaded; load it again when nothing writes to it.'}) }}
    {%- endif -%}
    {%- set loaded = namespace(rows=cursor.rowcount) -%}

    {%- if file.odd_records -%}
        {%- set records = [] -%}
        {%- for row_number, record in file.odd_records -%}
            {%- do records.append('(' ~ row_number ~ ", '" ~ record | replace("'", "''") ~ "')") -%}
        {%- endfor -%}
        {%- set source = 'select * from (values ' ~ records | join(', ') ~ ') as odd_records (row_number, line)' -%}
        {%- set header = {
            'row_number': file.first_row_number - 1, 'delimiter': file.delimiter, 'cells': file.header, 'names': names
        } -%}
        {%- set response, _ = adapter.execute(
            'insert into ' ~ relation ~ ' (row_number, ' ~ columns | join(', ') ~ ', row_fault, row_text) ' ~ csv_rows(source, columns, header, true)
        ) -%}
        {%- set loaded.rows = loaded.rows + response.rows_affected -%}
    {%- endif -%}
    {{ return({'way': 'COPY', 'rows': loaded.rows, 'problem': none}) }}
{%- endmacro %}
