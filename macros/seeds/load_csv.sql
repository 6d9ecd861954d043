{#
    Replaces the rows of a raw table by those of a CSV file, in the current transaction.

    In:  load_csv(relation, '/data/export/users.csv', ['user_id', 'name', 'email', 'signup_date'])
    Out: {'way': 'COPY', 'rows': 10, 'problem': none}, where the way is what the engine calls its way of loading;
         or {'way': ..., 'rows': 0, 'problem': 'a sentence'}, then nothing was changed

    Any of these forms gives the same rows: line ends LF, CRLF or CR; a byte-order mark; blank lines
    anywhere; comma, tab or semicolon as the separator; white space around cells; cells in quotes, with
    separators, doubled quotes and line breaks inside; columns in any order, and more than asked for.
#}
{% macro load_csv(relation, path, columns) -%}
    {{ return(adapter.dispatch('load_csv')(relation, path, columns)) }}
{%- endmacro %}
