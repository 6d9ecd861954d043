{#
    The columns that a history has in addition to those of its table, in the form of a node's columns in dbt's graph.
#}
{% macro history_columns() -%}
    {%- set columns = {} -%}
    {%- for name, data_type, description in [
        ('state_id', 'text', 'The id of the state.'),
        ('recorded', 'timestamptz', 'When the state was recorded; the same as valid_from.'),
        ('valid_from', 'timestamptz', 'When this state was published.'),
        ('valid_to', 'timestamptz', 'When another one was published, or the row left the input; null for the current state.'),
    ] -%}
        {%- do columns.update({name: {'name': name, 'data_type': data_type, 'description': description}}) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
