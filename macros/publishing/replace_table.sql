{#
    Replaces a published table with one that has the columns, constraints and rows of a candidate. Grants stay; views on
    the old table are dropped.

    Arguments: published and candidate, the tables; mart, their node in dbt's graph.
#}
{% macro replace_table(published, candidate, mart) -%}
    {{ return(adapter.dispatch('replace_table')(published, candidate, mart)) }}
{%- endmacro %}

{% macro default__replace_table(published, candidate, mart) -%}
    {%- do drop_relation_if_exists(load_cached_relation(published)) -%}
    {%- do run_query(create_table_from(published, 'select * from ' ~ candidate)) -%}
    {%- do adapter.cache_added(published) -%}
{%- endmacro %}

{% macro postgres__replace_table(published, candidate, mart) -%}
    {%- set existing = load_cached_relation(published) -%}
    {%- set grants = [] -%}
    {%- if existing is not none -%}
        {%- for row in run_query(
            "select format('grant %s on %s to %s', privilege_type, " ~ text_literal(published | string)
            ~ ", coalesce(quote_ident(rolname), 'public')) as statement "
            ~ 'from pg_class cross join aclexplode(relacl) left join pg_roles on grantee = pg_roles.oid '
            ~ 'where pg_class.oid = ' ~ text_literal(existing | string) ~ '::regclass and grantee <> relowner'
        ).rows -%}
            {%- do grants.append(row['statement']) -%}
        {%- endfor -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {%- do run_query('create table ' ~ published ~ ' (like ' ~ candidate ~ ')') -%}
    {%- do run_query('insert into ' ~ published ~ ' select * from ' ~ candidate) -%}
    {%- do add_constraints(published, mart) -%}
    {%- do run_query(grants | join('; ')) if grants -%}
    {%- do adapter.cache_added(published) -%}
{%- endmacro %}
