{#
    The model that publishes: it updates all published tables from the candidates of its run, updates the history and adds
    its own row, in one transaction. Concurrent readers see either the old rows or the new ones.

    It replaces only the rows that differ. Views, grants, indexes and prepared statements survive, and readers do not wait. A
    table whose columns or constraints have changed is replaced as a whole, in the same transaction.
#}
{% materialization publication, default %}

    {%- set publications = this.incorporate(type='table') -%}
    {%- set missing = [] -%}
    {%- set marts = [] -%}
    {%- for mart in graph.nodes.values() if mart.resource_type == 'model' and mart.config.materialized == 'candidate' -%}
        {%- set published = api.Relation.create(database=mart.database, schema=mart.schema, identifier=mart.alias, type='table') -%}
        {%- set candidate = load_cached_relation(candidate_of(published)) -%}
        {%- if mart.unique_id not in model.depends_on.nodes -%}
            {%- do exceptions.raise_compiler_error(
                mart.name ~ ' would never be published; add the line `-- depends_on: {{ ref(' ~ "'" ~ mart.name ~ "'" ~ ') }}` to '
                ~ model.original_file_path ~ '.'
            ) -%}
        {%- endif -%}
        {%- do missing.append(mart.name) if candidate is none -%}
        {%- do marts.append((mart, published, candidate)) -%}
    {%- endfor -%}
    {%- if missing -%}
        {%- do exceptions.raise_compiler_error(
            'Nothing is published, since the run ' ~ run_id() ~ ' has not built ' ~ missing | join(', ')
            ~ '; build and publish all tables together with `dbt build` or `dbt run`, or give all commands of a run the same FEATURES_RUN_ID.'
        ) -%}
    {%- endif -%}

    {#- `dbt run` does not run the data test that checks this. -#}
    {%- set mismatches = run_query('select mismatch from ' ~ ref('int_rows_per_file') ~ ' where mismatch is not null order by file').rows -%}
    {%- if mismatches -%}
        {%- do exceptions.raise_compiler_error(
            'Nothing is published, since ' ~ mismatches | map(attribute='mismatch') | join(', and ')
            ~ '; correct the files, or raise the limits in dbt_project.yml.'
        ) -%}
    {%- endif -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {#- Opens the transaction. -#}
    {%- call statement('begin', auto_begin=True) -%} {{ session_settings() or 'select 1' }} {%- endcall -%}
    {%- do prepare_table(publications, model.columns) -%}
    {%- for mart, published, candidate in marts -%}
        {%- do publish(published, candidate, mart) -%}
        {%- do persist_docs(published, mart) -%}
        {%- do apply_grants(published, mart.config.grants, should_revoke=False) if mart.config.grants -%}
        {%- do record_history(published, mart) if mart.config.meta.keeps_history -%}
    {%- endfor -%}
    {%- call statement('main') -%}
        insert into {{ publications }} ({{ model.columns.keys() | join(', ') }})
        {{ get_select_subquery(sql) }}
    {%- endcall -%}
    {%- do persist_docs(publications, model) -%}
    {%- for mart, published, candidate in marts -%}
        {%- do drop_relation(candidate) -%}
        {%- do adapter.cache_dropped(candidate) -%}
    {%- endfor -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [publications]}) }}

{% endmaterialization %}
