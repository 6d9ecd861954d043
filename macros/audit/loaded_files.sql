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
