{#
    Replaces the rows of a raw table by those of a CSV file that is in a large object. Arguments and
    result are those of `load_csv`, with the large object's oid in place of the path.
#}
{% macro split_large_object(relation, file_oid, columns) -%}
    {%- do run_query(csv_pieces_function()) -%}
    {%- set pieces = run_query('select * from pg_temp.csv_pieces(' ~ file_oid ~ ')').rows -%}
    {%- for piece in pieces if piece['problem'] -%}
        {{ return({'way': 'SPLIT', 'rows': 0, 'problem': piece['problem']}) }}
    {%- endfor -%}

    {%- set sources = [] -%}
    {%- for piece in pieces -%}
        {%- do sources.append(csv_lines(file_oid, piece)) -%}
    {%- endfor -%}
    {%- set quoted = pieces | selectattr('has_quotes') | list | length > 0 -%}
    {{ return(dict(load_lines(relation, sources, columns, quoted), way='SPLIT')) }}
{%- endmacro %}
