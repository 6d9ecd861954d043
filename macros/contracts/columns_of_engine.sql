{#
    The columns of a contract, with the names that the engine has for their types.

    Arguments: columns, as a node of dbt's graph has them: a dict of name to properties.
#}
{% macro columns_of_engine(columns) -%}
    {%- set translated = {} -%}
    {%- for name, column in columns.items() -%}
        {%- do translated.update({name: dict(column, data_type=data_type(column['data_type']))}) -%}
    {%- endfor -%}
    {{ return(translated) }}
{%- endmacro %}
