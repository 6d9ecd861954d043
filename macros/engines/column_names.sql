{#
    The names of a table's columns, in their order. dbt's `adapter.get_columns_in_relation` also sets up Jinja for the
    macro that it calls, which takes as long as the query.

    In:  column_names(ref('users'))      Out: ['row_number', 'user_id', ...]
#}
{% macro column_names(relation) -%}
    {{ return(run_query('select * from ' ~ relation ~ ' limit 0').column_names | list) }}
{%- endmacro %}
