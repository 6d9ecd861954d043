{#
    Regular expressions for lines of a CSV file with a given separator, each for a whole line but `cell`. A cell is
    quoted where its first character other than white space is a double quote; anywhere else a quote stands for itself.
      regular       each quoted cell is just a pair of quotes around text without quotes or separators:
                    the quotes can be dropped and the line split at the separators
      open_at_end   the line, begun outside quotes, ends inside them
      quoted_cell   a quoted cell and the separator behind it: the text in quotes, what follows its closing quote
      cell          the same, or the text of a cell without quotes
    White space stands in them as it is, since engines differ in how they would have it written.
#}
{% macro csv_patterns(delimiter) -%}
    {%- set white = white_space_characters() | replace('\n', '') | replace(delimiter, '') -%}
    {%- set blanks = '[' ~ white ~ ']*' -%}
    {%- set not_separator = '[^' ~ delimiter ~ ']' -%}
    {%- set in_quotes = '[^"]*(?:""[^"]*)*' -%}
    {%- set after_quotes = '(?:[^"' ~ delimiter ~ ']' ~ not_separator ~ '*)?' -%}
    {%- set unquoted = blanks ~ '(?:[^"' ~ white ~ delimiter ~ ']' ~ not_separator ~ '*)?' -%}
    {%- set plain = blanks ~ '(?:"[^"' ~ delimiter ~ ']*"' ~ blanks ~ '|[^"' ~ delimiter ~ ']*)' -%}
    {%- set quoted_cell = blanks ~ '"(' ~ in_quotes ~ ')"(' ~ after_quotes ~ ')' ~ delimiter -%}
    {{ return({
        'regular': plain ~ '(?:' ~ delimiter ~ plain ~ ')*',
        'open_at_end': '(?:(?:' ~ blanks ~ '"' ~ in_quotes ~ '"' ~ after_quotes ~ '|' ~ unquoted ~ ')' ~ delimiter ~ ')*'
            ~ blanks ~ '"' ~ in_quotes,
        'quoted_cell': quoted_cell,
        'cell': quoted_cell ~ '|(' ~ not_separator ~ '*)' ~ delimiter
    }) }}
{%- endmacro %}
