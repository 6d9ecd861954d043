{#
    `load_csv` on Postgres, in one of two ways that give the same rows:
      COPY   for a file that is plain, or would be but for quotes and white space around its cells, and for
             a few odd records: the server takes it in as fast as it takes in anything
      SPLIT  for any other: the file goes into a large object as it is and is taken apart there, in SQL
    Neither needs a right on the server's own files, and neither holds the file in memory.

    The module `plain_csv`, which tells the two apart, is there for the dbt in .venv; without it, all goes
    the second way.
#}
{% macro postgres__load_csv(relation, path, columns) -%}
    {%- set plain = modules.plain_csv(path, columns) if modules.plain_csv -%}
    {%- if plain -%}
        {{ return(copy_plain_csv(relation, columns, plain)) }}
    {%- else -%}
        {{ return(split_csv(relation, path, columns)) }}
    {%- endif -%}
{%- endmacro %}
