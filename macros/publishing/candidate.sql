{#
    A model that is published. It is built next to the published table, as a candidate, and checked against its contract
    before any test reads it. `publications` then publishes its rows.
#}
{% materialization candidate, default %}

    {%- set candidate = candidate_of(this) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {#- dbt creates the schemas of the models that it runs, which may be the marts alone. -#}
    {%- do adapter.create_schema(candidate) if not adapter.check_schema_exists(candidate.database, candidate.schema) -%}
    {#- Also drops the candidates of earlier runs that did not publish. -#}
    {%- for name in candidate_names(this) -%}
        {%- do adapter.drop_relation(candidate.incorporate(path={'identifier': name})) -%}
    {%- endfor -%}

    {%- do get_assert_columns_equivalent(sql) -%}
    {%- call statement('main') -%}
        {{ session_settings() }}
        {{ create_table_from(candidate, get_select_subquery(sql)) }}
    {%- endcall -%}
    {%- do require_contract(candidate) -%}
    {%- do add_constraints(candidate, model) -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [candidate]}) }}

{% endmaterialization %}
