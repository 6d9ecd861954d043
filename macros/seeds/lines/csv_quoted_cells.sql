{#
    An expression for the cells of a line with quoted cells of any kind, a list of text, untrimmed: cell by cell by
    a regular expression, for the few lines that need it.

    Arguments: line, an expression; delimiter.
#}
{% macro csv_quoted_cells(line, delimiter) -%}
    {{ return(adapter.dispatch('csv_quoted_cells')(line, delimiter)) }}
{%- endmacro %}

{% macro postgres__csv_quoted_cells(line, delimiter) -%}
array(
    select coalesce(replace(cell.parts[1], '""', '"') || cell.parts[2], cell.parts[3])
    from regexp_matches({{ line }} || '{{ delimiter }}', '{{ csv_patterns(delimiter).cell }}', 'g')
        with ordinality as cell (parts, position)
    order by cell.position
)
{%- endmacro %}

{% macro duckdb__csv_quoted_cells(line, delimiter) -%}
{%- set quoted_cell = csv_patterns(delimiter).quoted_cell -%}
list_transform(
    regexp_extract_all({{ line }} || '{{ delimiter }}', '{{ csv_patterns(delimiter).cell }}'),
    lambda cell: case
        when {{ matches('cell', quoted_cell) }}
            then replace(regexp_extract(cell, '{{ quoted_cell }}', 1), '""', '"') || regexp_extract(cell, '{{ quoted_cell }}', 2)
        else left(cell, length(cell) - 1)
    end
)
{%- endmacro %}

{% macro spark__csv_quoted_cells(line, delimiter) -%}
{%- set quoted_cell = csv_patterns(delimiter).quoted_cell -%}
transform(
    regexp_extract_all({{ line }} || '{{ delimiter }}', '{{ csv_patterns(delimiter).cell }}', 0),
    cell -> case
        when {{ matches('cell', quoted_cell) }}
            then replace(regexp_extract(cell, '{{ quoted_cell }}', 1), '""', '"') || regexp_extract(cell, '{{ quoted_cell }}', 2)
        else left(cell, length(cell) - 1)
    end
)
{%- endmacro %}
