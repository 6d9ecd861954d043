{#
    The columns of the primary key in a model's contract; an empty list if it has no primary key.

    In:  primary_key(model)      Out: ['user_id']
#}
{% macro primary_key(model) -%}
    {%- for constraint in model.constraints if constraint.type == 'primary_key' -%}
        {{ return(constraint.columns) }}
    {%- endfor -%}
    {{ return([]) }}
{%- endmacro %}
