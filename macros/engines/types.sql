{#
    The engine's name for a type whose name differs between engines. Other types, such as bigint, have the same name.

    In:  data_type('text')      Out: text on Postgres and DuckDB, string on Spark

    Arguments: name, the type's name on Postgres, such as 'text' or 'double precision'. 'numeric' is for run times and their
    sums; on engines without numbers of arbitrary precision, it has 20 digits before the point and 18 after it.
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
    Casts a text that a preceding check has shown to be valid.

    In:  checked_cast('user_id', 'bigint')

    Arguments: text, an expression; type, in the form that data_type() accepts.

    Most engines may evaluate the cast before the check, and an error would stop the query.
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
