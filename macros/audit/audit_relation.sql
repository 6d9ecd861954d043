{#
    A table of the run log.

    In:  audit_relation('runs')      Out: "postgres"."features_audit"."runs"
#}
{% macro audit_relation(name) -%}
    {{ return(api.Relation.create(database=target.database, schema=target.schema ~ '_audit', identifier=name)) }}
{%- endmacro %}
