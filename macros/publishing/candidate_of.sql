{#
    The candidate of a published table: what this run is about to publish. Its name has the run in it, so no other run
    finds it.

    In:  candidate_of(ref('user_features'))      Out: "postgres"."features_staging"."user_features__1f0c53a7b2e4"
#}
{% macro candidate_of(published) -%}
    {{ return(api.Relation.create(
        database=published.database, schema=target.schema ~ '_staging',
        identifier=published.identifier ~ '__' ~ local_md5(run_id())[:12], type='table'
    )) }}
{%- endmacro %}
