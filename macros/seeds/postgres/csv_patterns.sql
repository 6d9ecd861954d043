{#
    Regular expressions for lines of a CSV file with a given separator. A cell is quoted where its first
    character other than white space is a double quote; anywhere else a quote stands for itself.
      regular       each quoted cell is just a pair of quotes around text without quotes or separators:
                    the quotes can be dropped and the line split at the separators
      open_at_end   the line, begun outside quotes, ends inside them
      cell          one cell and the separator behind it: quoted text, what follows its closing quote,
                    or the text of a cell without quotes
#}
{% macro csv_patterns(delimiter) -%}
    {%- set separator = {',': ',', '\t': '\\t', ';': ';'}[delimiter] -%}
    {%- set blanks = '[ \\r\\v\\f\\u00a0\\ufeff' ~ ('' if delimiter == '\t' else '\\t') ~ ']*' -%}
    {%- set not_separator = '[^' ~ separator ~ ']' -%}
    {%- set quoted = blanks ~ '"(?:[^"]|"")*"(?:[^"' ~ separator ~ ']' ~ not_separator ~ '*)?' -%}
    {%- set unquoted = blanks ~ '(?:[^" \\r\\v\\f\\u00a0\\ufeff\\t' ~ separator ~ ']' ~ not_separator ~ '*)?' -%}
    {%- set plain = blanks ~ '(?:"[^"' ~ separator ~ ']*"' ~ blanks ~ '|[^"' ~ separator ~ ']*)' -%}
    {{ return({
        'regular': '^' ~ plain ~ '(?:' ~ separator ~ plain ~ ')*$',
        'open_at_end': '^(?:(?:' ~ quoted ~ '|' ~ unquoted ~ ')' ~ separator ~ ')*' ~ blanks ~ '"(?:[^"]|"")*$',
        'cell': blanks ~ '"((?:[^"]|"")*)"((?:[^"' ~ separator ~ ']' ~ not_separator ~ '*)?)' ~ separator
            ~ '|(' ~ not_separator ~ '*)' ~ separator
    }) }}
{%- endmacro %}
