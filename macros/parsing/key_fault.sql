{#
    Why parse_key() gave null: 'missing_key', 'key_not_integer' or 'key_too_large'; null where it did not.

    In:  key_fault('user_id_text', 'user_id')

    Arguments: text, the trimmed text; key, what parse_key() made of it.
#}
{% macro key_fault(text, key) -%}
case
    when {{ key }} is not null then null
    when {{ text }} = '' then 'missing_key'
    when {{ matches(text, '[0-9]+') }} then 'key_too_large'
    else 'key_not_integer'
end
{%- endmacro %}
