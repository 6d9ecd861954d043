{#
    The engine's own name for a type that has different names; all others, such as bigint, are called alike.

    In:  data_type('text')      Out: text on Postgres and DuckDB, string on Spark

    Arguments: name, the type's name on Postgres: 'text', 'double precision', or 'numeric' for a run time or a
    sum of them, which on engines without numbers of any length has 20 digits before the point and 18 behind it.
#}
{% macro data_type(name) -%}
    {{ return(adapter.dispatch('data_type')(name)) }}
{%- endmacro %}

{% macro default__data_type(name) -%}
    {{ return({'numeric': 'decimal(38, 18)', 'pg_catalog.numeric': 'decimal(38, 18)', 'double precision': 'double', 'timestamptz': 'timestamp with time zone', 'jsonb': 'json'}.get(name, name)) }}
{%- endmacro %}

{% macro postgres__data_type(name) -%}
    {{ return(name) }}
{%- endmacro %}

{% macro spark__data_type(name) -%}
    {{ return({'text': 'string', 'jsonb': 'string', 'timestamptz': 'timestamp'}.get(name, default__data_type(name))) }}
{%- endmacro %}

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
