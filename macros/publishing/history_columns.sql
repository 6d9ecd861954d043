{#
    The columns that a history has beside those of its table, as a node of dbt's graph has columns.
#}
{% macro history_columns() -%}
    {%- set columns = {} -%}
    {%- for name, data_type, description in [
        ('state_id', 'text', 'The id of the state.'),
        ('recorded', 'timestamptz', 'When the state was recorded; the same as valid_from.'),
        ('valid_from', 'timestamptz', 'When this state was published.'),
        ('valid_to', 'timestamptz', 'When another one was published, or the row left the input; null where it still holds.'),
    ] -%}
        {%- do columns.update({name: {'name': name, 'data_type': data_type, 'description': description}}) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
