{#
    Replaces the rows of a raw table by those of some queries, and returns how many there are; the old ones stay
    where a query fails.

    Arguments: relation, the raw table; columns, those of its file; queries, as csv_rows() gives them.
#}
{% macro replace_rows(relation, columns, queries) -%}
    {{ return(adapter.dispatch('replace_rows')(relation, columns, queries)) }}
{%- endmacro %}

{# In the transaction that the load is in. #}
{% macro default__replace_rows(relation, columns, queries) -%}
    {%- do run_query('truncate table ' ~ relation) -%}
    {%- for query in queries -%}
        {%- do run_query('insert into ' ~ relation ~ ' (row_number, ' ~ columns | join(', ') ~ ', row_fault, row_text) ' ~ query) -%}
    {%- endfor -%}
    {{ return(run_query('select count(*) as row_count from ' ~ relation).rows[0]['row_count']) }}
{%- endmacro %}

{% macro spark__replace_rows(relation, columns, queries) -%}
    {%- do run_query(
        'insert overwrite table ' ~ relation ~ ' select * from (' ~ queries | join(') union all select * from (') ~ ')'
    ) -%}
    {{ return(run_query('select count(*) as row_count from ' ~ relation).rows[0]['row_count']) }}
{%- endmacro %}
