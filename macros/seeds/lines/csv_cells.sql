{#
    An expression for the cells of a line, a list of text, untrimmed.

    In:  csv_cells('line', ',', true), line being  1, "Bob ""B"" B",x
    Out: the list of '1', 'Bob "B" B' and 'x'

    Arguments: line, an expression; delimiter; quoted, whether there may be double quotes in the line.
#}
{% macro csv_cells(line, delimiter, quoted) -%}
    {%- set separator = "'" ~ delimiter ~ "'" -%}
    {%- if not quoted -%}
        {{ split_text(line, separator) }}
    {%- else -%}
        case
            when position('"' in {{ line }}) = 0 then {{ split_text(line, separator) }}
            {#- Without its quotes, this one would be an empty text, which need not have a part. #}
            when {{ line }} <> '""' and {{ matches(line, csv_patterns(delimiter).regular) }}
                then {{ split_text("replace(" ~ line ~ ", '\"', '')", separator) }}
            else {{ csv_quoted_cells(line, delimiter) }}
        end
    {%- endif -%}
{%- endmacro %}
