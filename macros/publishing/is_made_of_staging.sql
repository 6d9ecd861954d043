{#
    Whether the rows of a model in the schema of what is published are made of what is in staging, as an SQL condition:
    a test that compares the two would otherwise fail while another run builds, or after one that has not published.

    In:  where {{ is_made_of_staging(ref('user_features')) }} and ...

    Arguments: relation, what `ref` gave: a candidate of this run, or the published table.
#}
{% macro is_made_of_staging(relation) -%}
    {%- if execute and relation.schema == target.schema -%}
        {%- set publications = load_cached_relation(relation.incorporate(path={'identifier': 'publications'})) -%}
        {%- set newer = run_query(
            'select 1 as found from (' ~ loaded_files() ~ ') as loaded_files where loaded > (select max(published_at) from ' ~ publications ~ ')'
        ).rows if publications else [] -%}
        {{ return('false' if newer | length > 0 else 'true') }}
    {%- endif -%}
    {{ return('true') }}
{%- endmacro %}
