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
