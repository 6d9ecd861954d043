{#
    The path of the CSV file of a seed: in the folder that the environment variable SEEDS_DIR names
    (absolute, relative to the project, or the address of a store that Spark reads), otherwise where dbt found it.

    In:  seed_file_path(model), SEEDS_DIR=/data/export
    Out: /data/export/users.csv
#}
{% macro seed_file_path(seed) -%}
    {%- set folder = env_var('SEEDS_DIR', '') -%}
    {%- set file_name = seed.original_file_path.replace('\\', '/').split('/') | last -%}
    {%- if folder == '' -%}
        {{ return(seed.root_path ~ '/' ~ seed.original_file_path) }}
    {%- elif folder.startswith('/') or '://' in folder -%}
        {{ return(folder.rstrip('/') ~ '/' ~ file_name) }}
    {%- else -%}
        {{ return(seed.root_path ~ '/' ~ folder.rstrip('/') ~ '/' ~ file_name) }}
    {%- endif -%}
{%- endmacro %}
