{#
    Whether two tables have the same columns (names, types and order) and, on Postgres, the same constraints.
#}
{% macro has_same_columns(one, other) -%}
    {{ return(adapter.dispatch('has_same_columns')(one, other)) }}
{%- endmacro %}

{% macro default__has_same_columns(one, other) -%}
    {{ return(
        adapter.get_columns_in_relation(one) | map(attribute='name') | list == adapter.get_columns_in_relation(other) | map(attribute='name') | list
        and adapter.get_columns_in_relation(one) | map(attribute='dtype') | list == adapter.get_columns_in_relation(other) | map(attribute='dtype') | list
    ) }}
{%- endmacro %}

{% macro postgres__has_same_columns(one, other) -%}
    {%- set definitions = [] -%}
    {%- for relation in (one, other) -%}
        {%- set oid = text_literal(relation | string) ~ '::regclass' -%}
        {%- do definitions.append(
            '(select array_agg(row(attname, atttypid, atttypmod, attnotnull)::text order by attnum) from pg_attribute '
            ~ 'where attrelid = ' ~ oid ~ ' and attnum > 0 and not attisdropped)'
            ~ ' || (select array_agg(pg_get_constraintdef(oid) order by pg_get_constraintdef(oid)) from pg_constraint where conrelid = ' ~ oid ~ ')'
        ) -%}
    {%- endfor -%}
    {{ return(run_query('select ' ~ definitions | join(' = ') ~ ' as is_same').rows[0]['is_same']) }}
{%- endmacro %}
