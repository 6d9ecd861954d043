{#
    Records the load of a file, in the transaction that loads it: in a table next to the raw table, with one row per part
    of the file, and on Postgres in the run log. Returns that table; loaded_files() and loaded_parts() read it.

    Arguments: file, its name; rows, the result of `modules.seed_rows`.
#}
{% macro record_load(file, rows) -%}
    {%- set load = this.incorporate(path={'identifier': this.identifier ~ '__load'}, type='table') -%}
    {%- set parts = [] -%}
    {%- for part in rows.files -%}
        {%- do parts.append('(' ~ text_literal(part.name if rows.files | length > 1 else file) ~ ', ' ~ part.lines_before ~ ')') -%}
    {%- endfor -%}
    {%- do run_query('drop table if exists ' ~ load) -%}
    {%- do run_query(create_table_from(load,
        'select ' ~ text_literal(file) ~ ' as file, part, cast(lines_before as bigint) as lines_before, '
        ~ 'cast(lead(lines_before, 1, 2147483647) over (order by lines_before) as bigint) as lines_through, '
        ~ 'cast(' ~ rows.size_bytes ~ ' as bigint) as size_bytes, ' ~ text_literal(rows.sha256) ~ ' as sha256, '
        ~ text_literal(run_id()) ~ ' as run_id, current_timestamp as loaded from (values ' ~ parts | join(', ') ~ ') as parts (part, lines_before)'
    )) -%}
    {%- do record_load_in_run_log(file, rows) -%}
    {{ return(load) }}
{%- endmacro %}

{# Records the load in the run log, if the engine has one. #}
{% macro record_load_in_run_log(file, rows) -%}
    {{ return(adapter.dispatch('record_load_in_run_log')(file, rows)) }}
{%- endmacro %}

{% macro default__record_load_in_run_log(file, rows) -%}
{%- endmacro %}

{% macro postgres__record_load_in_run_log(file, rows) -%}
    {%- do run_query(
        'insert into ' ~ audit_relation('run_files') ~ ' (run_id, file, size_bytes, modified, sha256, loaded, rows_read) values ('
        ~ text_literal(modules.current_run.run_id) ~ ', ' ~ text_literal(file) ~ ', ' ~ rows.size_bytes ~ ', '
        ~ text_literal(rows.modified) ~ ', ' ~ text_literal(rows.sha256) ~ ', clock_timestamp(), ' ~ rows.count ~ ')'
        ~ ' on conflict (run_id, file) do update set size_bytes = excluded.size_bytes, modified = excluded.modified, '
        ~ 'sha256 = excluded.sha256, loaded = excluded.loaded, rows_read = excluded.rows_read, '
        ~ 'rows_published = null, rows_rejected = null'
    ) -%}
{%- endmacro %}

{#
    A query for the files in the raw tables, as they were when they were loaded: file, size_bytes, sha256, run_id (the run
    that loaded it) and loaded (when). It has no rows if nothing is recorded.
#}
{% macro loaded_files() -%}
    select distinct file, size_bytes, sha256, run_id, loaded from ({{ loads() }}) as loads
{%- endmacro %}

{#
    A query for the parts of files with several parts: file, part, lines_before (the lines before the part) and
    lines_through (the last line of the part). It has no rows in unit tests, which do not know dbt's graph.
#}
{% macro loaded_parts() -%}
    select file, part, lines_before, lines_through from ({{ loads() }}) as loads
    where part <> file
{%- endmacro %}

{# What record_load() has recorded, for all files. #}
{% macro loads() -%}
    {%- set queries = [] -%}
    {%- for seed in graph.get('nodes', {}).values() if execute and seed.resource_type == 'seed' -%}
        {%- set load = adapter.get_relation(seed.database, seed.schema, seed.alias ~ '__load') -%}
        {%- do queries.append('select * from ' ~ load) if load -%}
    {%- endfor -%}
    {%- set text = data_type('text') -%}
    {{ queries | join(' union all ') or 'select cast(null as ' ~ text ~ ') as file, cast(null as ' ~ text ~ ') as part, '
        ~ 'cast(null as bigint) as lines_before, cast(null as bigint) as lines_through, cast(null as bigint) as size_bytes, '
        ~ 'cast(null as ' ~ text ~ ') as sha256, cast(null as ' ~ text ~ ') as run_id, cast(null as timestamp) as loaded where false' }}
{%- endmacro %}

{#
    The relation of a table of the run log.

    In:  audit_relation('runs')      Out: "postgres"."features_audit"."runs"
#}
{% macro audit_relation(name) -%}
    {{ return(api.Relation.create(database=target.database, schema=target.schema ~ '_audit', identifier=name)) }}
{%- endmacro %}
