{#
    Records a file that is loaded, in the transaction that loads it: in the run log on Postgres, elsewhere in a table of
    its own beside the raw table. loaded_files() reads it.

    Arguments: file, its name; rows, what `modules.seed_rows` returned.
#}
{% macro record_load(file, rows) -%}
    {{ return(adapter.dispatch('record_load')(file, rows)) }}
{%- endmacro %}

{% macro default__record_load(file, rows) -%}
    {%- set load = this.incorporate(path={'identifier': this.identifier ~ '__load'}, type='table') -%}
    {%- do run_query('drop table if exists ' ~ load) -%}
    {%- do run_query(create_table_from(load,
        'select ' ~ text_literal(file) ~ ' as file, cast(' ~ rows.size_bytes ~ ' as bigint) as size_bytes, '
        ~ text_literal(rows.sha256) ~ ' as sha256, ' ~ text_literal(run_id()) ~ ' as run_id, current_timestamp as loaded'
    )) -%}
{%- endmacro %}

{% macro postgres__record_load(file, rows) -%}
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
    A query for the files that the raw tables hold, as they were when they were loaded: file, size_bytes, sha256, and
    run_id and loaded, by which run and when. Without rows where nothing is recorded.
#}
{% macro loaded_files() -%}
    {{ return(adapter.dispatch('loaded_files')()) }}
{%- endmacro %}

{% macro postgres__loaded_files() -%}
    {%- if execute and adapter.get_relation(target.database, target.schema ~ '_audit', 'run_files') -%}
        select distinct on (file) file, size_bytes, sha256, run_id, loaded
        from {{ audit_relation('run_files') }}
        where loaded is not null
        order by file, run_files.loaded desc
    {%- else -%}
        {{ no_loaded_files() }}
    {%- endif -%}
{%- endmacro %}

{% macro default__loaded_files() -%}
    {%- set queries = [] -%}
    {%- for seed in (graph.nodes.values() if execute else []) if seed.resource_type == 'seed' -%}
        {%- set load = adapter.get_relation(seed.database, seed.schema, seed.alias ~ '__load') -%}
        {%- do queries.append('select file, size_bytes, sha256, run_id, loaded from ' ~ load) if load -%}
    {%- endfor -%}
    {{ queries | join(' union all ') or no_loaded_files() }}
{%- endmacro %}

{#
    The query of loaded_files() where nothing is recorded.
#}
{% macro no_loaded_files() -%}
    select
        cast(null as {{ data_type('text') }}) as file,
        cast(null as bigint) as size_bytes,
        cast(null as {{ data_type('text') }}) as sha256,
        cast(null as {{ data_type('text') }}) as run_id,
        cast(null as timestamp) as loaded
    where false
{%- endmacro %}

{#
    A table of the run log.

    In:  audit_relation('runs')      Out: "postgres"."features_audit"."runs"
#}
{% macro audit_relation(name) -%}
    {{ return(api.Relation.create(database=target.database, schema=target.schema ~ '_audit', identifier=name)) }}
{%- endmacro %}
