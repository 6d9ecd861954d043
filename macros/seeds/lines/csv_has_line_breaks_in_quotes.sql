{#
    Whether a quoted cell of the file goes on over a line break: true or false.

    In:  csv_has_line_breaks_in_quotes(['select row_number, line from ...', ...], ',')
#}
{% macro csv_has_line_breaks_in_quotes(sources, delimiter) -%}
    {%- set patterns = csv_patterns(delimiter) -%}
    {%- for source in sources -%}
        {%- set found = run_query(
            "select 1 as found from (" ~ source ~ ") as file_lines where position('\"' in line) > 0 and not ("
            ~ matches('line', patterns.regular) ~ ") and " ~ matches('line', patterns.open_at_end) ~ " limit 1"
        ).rows -%}
        {%- if found | length > 0 -%}
            {{ return(true) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(false) }}
{%- endmacro %}
