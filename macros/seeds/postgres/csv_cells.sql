{#
    An expression for the cells of a line, a text array, untrimmed.

    In:  csv_cells('line', ',', true), line being  1, "Bob ""B"" B",x
    Out: {"1", "Bob \"B\" B", "x"}

    Arguments: quoted tells whether there may be double quotes in the line.
#}
{% macro csv_cells(line, delimiter, quoted) -%}
    {%- set separator = {',': "','", '\t': "E'\\t'", ';': "';'"}[delimiter] -%}
    {%- if not quoted -%}
        string_to_array({{ line }}, {{ separator }})
    {%- else -%}
        {%- set patterns = csv_patterns(delimiter) -%}
        case
            when position('"' in {{ line }}) = 0 then string_to_array({{ line }}, {{ separator }})
            {# An empty text would have no cells; here it is a pair of quotes, which is one. #}
            when {{ line }} ~ '{{ patterns.regular }}'
                then coalesce(nullif(string_to_array(replace({{ line }}, '"', ''), {{ separator }}), '{}'), array[''])
            else array(
                select coalesce(replace(cell.parts[1], '""', '"') || cell.parts[2], cell.parts[3])
                from regexp_matches({{ line }} || {{ separator }}, '{{ patterns.cell }}', 'g') with ordinality as cell (parts, position)
                order by cell.position
            )
        end
    {%- endif -%}
{%- endmacro %}
