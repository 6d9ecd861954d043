{#
    Puts a file into the run log, in the transaction that loads it, so that the last file on record is the one that
    the raw table holds. Nothing on engines that have no run log.

    Arguments: file, its name; state, what `modules.file_state` returned; rows, how many were loaded.
#}
{% macro record_load(file, state, rows) -%}
    {{ return(adapter.dispatch('record_load')(file, state, rows)) }}
{%- endmacro %}

{% macro default__record_load(file, state, rows) -%}
{%- endmacro %}

{% macro postgres__record_load(file, state, rows) -%}
    {%- do run_query(
        'insert into ' ~ audit_relation('run_files') ~ ' (run_id, file, size_bytes, modified, sha256, loaded, rows_read) values ('
        ~ text_literal(modules.current_run.run_id) ~ ', ' ~ text_literal(file) ~ ', ' ~ state.size_bytes ~ ', '
        ~ text_literal(state.modified) ~ ', ' ~ text_literal(state.sha256) ~ ', clock_timestamp(), ' ~ rows ~ ')'
    ) -%}
{%- endmacro %}
