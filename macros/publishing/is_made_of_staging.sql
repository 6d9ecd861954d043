{#
    An SQL condition that is true if the rows of a mart were computed from the current staging tables. Without it, a test
    that compares the two would fail while another run builds, or after a run that has not published.

    In:  where {{ is_made_of_staging(ref('user_features')) }} and ...

    Arguments: relation, as returned by `ref`: a candidate of this run, or the published table.
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
