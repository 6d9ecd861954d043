{#
    `load_csv` for a plain file: one COPY, which numbers the rows by the identity of row_number and leaves
    out the repetitions of the header.

    Arguments: relation, the raw table; file, what `modules.plain_csv` returned.
#}
{% macro copy_plain_csv(relation, file) -%}
    {%- set columns = file.header | map('lower') | join(', ') -%}
    {%- set copy -%}
copy {{ relation }} ({{ columns }}) from stdin with (
    format csv, delimiter E'{{ file.delimiter | replace('\t', '\\t') }}', encoding 'UTF8',
    -- An empty cell is an empty text, as it is for the rows of any other file.
    force_not_null ({{ columns }})
)
where
    {% for name in file.header -%}
    {{ 'or ' if not loop.first }}{{ name | lower }} <> '{{ name | replace("'", "''") }}'
    {% endfor -%}
    {%- endset -%}
    {%- do run_query('truncate table ' ~ relation) -%}
    {%- do run_query('alter table ' ~ relation ~ ' alter column row_number restart with ' ~ file.first_row_number) -%}
    {%- set cursor = adapter.add_query('select 1')[0].handle.cursor() -%}
    {%- do cursor.copy_expert(copy, file, 65536) -%}
    {{ return({'way': 'COPY', 'rows': cursor.rowcount, 'problem': none}) }}
{%- endmacro %}
