{#
    Replaces a published table with one that has the columns, constraints and rows of a candidate. Grants stay; views on
    the old table are dropped. A table with row-level security is not replaced, since its rows would become visible to all readers.

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
        {%- set table = text_literal(existing | string) ~ '::regclass' -%}
        {%- if run_query('select 1 from pg_class where oid = ' ~ table ~ ' and relrowsecurity').rows -%}
            {%- do exceptions.raise_compiler_error(
                published ~ ' has to be replaced, which would remove its row-level security; disable it, run this again, and enable it anew.'
            ) -%}
        {%- endif -%}
        {%- for row in run_query(
            "select format('grant %s%s on %s to %s%s', privilege_type, columns, " ~ text_literal(published | string)
            ~ ", coalesce(quote_ident(rolname), 'public'), case when is_grantable then ' with grant option' end) as statement "
            ~ "from (select relacl as privileges, '' as columns from pg_class where oid = " ~ table ~ " union all "
            ~ "select attacl, format(' (%I)', attname) from pg_attribute where attrelid = " ~ table
            ~ ' and attname in (select attname from pg_attribute where attrelid = ' ~ text_literal(candidate | string) ~ '::regclass)) as granted '
            ~ 'cross join aclexplode(privileges) left join pg_roles on grantee = pg_roles.oid '
            ~ 'where grantee <> (select relowner from pg_class where oid = ' ~ table ~ ')'
        ).rows -%}
            {%- do grants.append(row['statement']) -%}
        {%- endfor -%}
        {%- set dropped = run_query(
            "select string_agg(dependent, ', ' order by dependent) from ("
            ~ "select distinct 'view ' || ev_class::regclass as dependent from pg_depend inner join pg_rewrite on objid = pg_rewrite.oid "
            ~ "where classid = 'pg_rewrite'::regclass and refobjid = " ~ table ~ ' and ev_class <> refobjid union all '
            ~ "select 'foreign key ' || conname || ' of ' || conrelid::regclass from pg_constraint where contype = 'f' and confrelid = " ~ table
            ~ ') as dependents'
        ).rows[0][0] -%}
        {%- do exceptions.warn(
            published ~ ' is replaced, and what depends on it is dropped: ' ~ dropped ~ '. A run replaces a table if its columns or constraints '
            ~ 'are not those of its contract, and with --full-refresh.'
        ) if dropped -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {%- do run_query('create table ' ~ published ~ ' (like ' ~ candidate ~ ')') -%}
    {%- do run_query('insert into ' ~ published ~ ' select * from ' ~ candidate) -%}
    {%- do add_constraints(published, mart) -%}
    {%- do run_query(grants | join('; ')) if grants -%}
    {%- do adapter.cache_added(published) -%}
{%- endmacro %}
