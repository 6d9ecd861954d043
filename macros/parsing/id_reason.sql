{#
    Why a text is not an id, where parse_id() gave null: 'missing_id', 'id_too_large' or 'id_not_integer'.

    In:  case when user_id is null then {{ id_reason('user_id_text') }} end

    Arguments: text, an expression for trimmed text.
#}
{% macro id_reason(text) -%}
case
    when {{ text }} = '' then 'missing_id'
    when {{ matches(text, '[0-9]+') }} then 'id_too_large'
    else 'id_not_integer'
end
{%- endmacro %}
