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
