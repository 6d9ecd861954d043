{#
    A text as another type, where a check before it has made sure that it can be cast.

    In:  checked_cast('user_id', 'bigint')

    Arguments: text, an expression; type, as data_type() takes it.

    Most engines may cast before they look at the check, and an error would stop the query.
#}
{% macro checked_cast(text, type) -%}
    {{ return(adapter.dispatch('checked_cast')(text, type)) }}
{%- endmacro %}

{% macro default__checked_cast(text, type) -%}
try_cast({{ text }} as {{ data_type(type) }})
{%- endmacro %}

{% macro postgres__checked_cast(text, type) -%}
cast({{ text }} as {{ data_type(type) }})
{%- endmacro %}
