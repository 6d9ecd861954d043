{#
    Whether a quoted cell of the file goes on over a line break: true or false.

    In:  csv_has_line_breaks_in_quotes(['select row_number, line from ...', ...], ',')
#}
{% macro csv_has_line_breaks_in_quotes(sources, delimiter) -%}
    {%- set patterns = csv_patterns(delimiter) -%}
    {%- for source in sources -%}
        {%- set found = run_query(
            "select exists (select from (" ~ source ~ ") as lines where position('\"' in line) > 0 and line !~ '"
            ~ patterns.regular ~ "' and line ~ '" ~ patterns.open_at_end ~ "') as found"
        ).rows[0]['found'] -%}
        {%- if found -%}
            {{ return(true) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(false) }}
{%- endmacro %}
