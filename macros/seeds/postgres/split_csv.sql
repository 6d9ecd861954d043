{#
    `load_csv` for a file in any form: it goes into a large object by psycopg2's client-side import, which
    works on any server, and is taken apart there, piece by piece.
#}
{% macro split_csv(relation, path, columns) -%}
    {%- set imported = adapter.add_query('select 1')[0].handle.lobject(0, 'rb', 0, path) -%}
    {%- set file_oid = imported.oid -%}
    {%- do imported.close() -%}
    {%- set loaded = split_large_object(relation, file_oid, columns) -%}
    {%- do run_query('select lo_unlink(' ~ file_oid ~ ')') -%}
    {{ return(loaded) }}
{%- endmacro %}
