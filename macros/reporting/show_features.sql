{#
    Prints the published features, ordered by user_id.

    Arguments: limit, the maximum number of users to print.
#}
{% macro show_features(limit=20) -%}
    {%- set relation = api.Relation.create(schema=target.schema, identifier='user_features') -%}
    {%- set features = run_query('select * from ' ~ relation ~ ' order by user_id limit ' ~ limit | int) -%}
    {%- do features.print_table(max_rows=none, max_columns=none, max_column_width=100) -%}
{%- endmacro %}
