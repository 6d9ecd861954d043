{#
    Stops a model if the raw tables come from different `dbt seed` invocations, to keep it from combining the users of one
    day with the experiments of another. It is a hook that adds no statement, and does nothing on engines without a run log.
#}
{% macro require_one_load() -%}
    {{ return(adapter.dispatch('require_one_load')()) }}
{%- endmacro %}

{% macro default__require_one_load() -%}
{%- endmacro %}

{% macro postgres__require_one_load() -%}
    {%- if execute and modules.current_run -%}
        {%- set files = graph.nodes.values() | selectattr('resource_type', 'equalto', 'seed') | selectattr('columns')
            | map(attribute='name') | sort -%}
        {%- set loads = {} -%}
        {%- for row in run_query(
            "select distinct on (file) file, run_id, to_char(loaded at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as loaded from "
            ~ audit_relation('run_files') ~ ' where loaded is not null order by file, run_files.loaded desc'
        ).rows -%}
            {%- do loads.update({row['file']: row}) -%}
        {%- endfor -%}
        {%- set runs = [] -%}
        {%- set descriptions = [] -%}
        {%- for file in files -%}
            {%- set load = loads.get(file ~ '.csv', {}) -%}
            {%- do runs.append(load.get('run_id')) -%}
            {%- do descriptions.append(
                file ~ '.csv ' ~ ('of ' ~ load['loaded'] ~ ' UTC, run ' ~ load['run_id'] if load else 'of an unrecorded load')
            ) -%}
        {%- endfor -%}
        {%- if none in runs or runs | unique | list | length > 1 -%}
            {%- do exceptions.raise_compiler_error(
                'The raw tables come from different loads (' ~ descriptions | join('; ')
                ~ '); load all files together with `dbt seed`, or use `dbt build`.'
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
