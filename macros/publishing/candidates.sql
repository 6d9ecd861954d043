{#
    The candidate of a published table: what this run is about to publish. Its name ends in a hash of the run's id, so no other run
    reads it.

    In:  candidate_of(ref('user_features'))      Out: "postgres"."features_staging"."user_features__1f0c53a7b2e4"
#}
{% macro candidate_of(published) -%}
    {{ return(api.Relation.create(
        database=published.database, schema=target.schema ~ '_staging',
        identifier=published.identifier ~ '__' ~ local_md5(run_id())[:12], type='table'
    )) }}
{%- endmacro %}

{#
    The names of all candidates of a published table that are in the database, whichever run built them.

    In:  candidate_names(ref('user_features'))      Out: ['user_features__1f0c53a7b2e4']
#}
{% macro candidate_names(published) -%}
    {{ return(adapter.dispatch('candidate_names')(published)) }}
{%- endmacro %}

{% macro default__candidate_names(published) -%}
    {{ return(run_query(
        "select table_name from information_schema.tables where table_schema = " ~ text_literal(candidate_of(published).schema)
        ~ " and starts_with(table_name, " ~ text_literal(published.identifier ~ '__') ~ ')'
    ).columns[0].values() | list) }}
{%- endmacro %}

{% macro spark__candidate_names(published) -%}
    {{ return(run_query(
        'show tables in ' ~ candidate_of(published).schema ~ ' like ' ~ text_literal(published.identifier ~ '__*')
    ).columns['tableName'].values() | list) }}
{%- endmacro %}

{#
    dbt's `ref`. If the run has built a candidate of a published table, its models and tests read the candidate. All other
    runs read what is published.
#}
{% macro ref() -%}
    {%- set relation = builtins.ref(*varargs, **kwargs) -%}
    {%- set candidate = load_cached_relation(candidate_of(relation)) if execute else none -%}
    {%- if candidate and model is defined and model.resource_type == 'model' and model.config.materialized == 'view' -%}
        {%- do exceptions.raise_compiler_error(
            model.name ~ ' is a view on ' ~ relation.identifier ~ ', whose candidate is dropped when it is published; materialize it as a table.'
        ) -%}
    {%- endif -%}
    {%- if candidate -%}
        {{ return(candidate) }}
    {%- endif -%}
    {{ return(relation) }}
{%- endmacro %}
