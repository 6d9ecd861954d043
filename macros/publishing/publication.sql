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

    {%- do require_tests_first(model) -%}
    {%- do require_order(model) -%}

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

{# The ids of all nodes above a model in dbt's graph. #}
{% macro nodes_above(model) -%}
    {%- set above = model.depends_on.nodes | list -%}
    {%- for id in above -%}
        {%- for parent in graph.nodes.get(id, {}).get('depends_on', {}).get('nodes', []) if parent not in above -%}
            {%- do above.append(parent) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(above) }}
{%- endmacro %}

{#
    Stops a model if, as the run log shows, a model above it was not built after all that it reads, or a test of these failed in this
    run: commands for single nodes could otherwise publish old rows with new ones, or rows that a test has refused.

    Arguments: model, its node in dbt's graph.
#}
{% macro require_order(model) -%}
    {%- set above = nodes_above(model) -%}
    {%- set pairs, tests = [], ["''"] -%}
    {%- for node in graph.nodes.values() if modules.current_run -%}
        {%- for parent in node.depends_on.nodes if node.unique_id in above and parent in graph.nodes -%}
            {%- do pairs.append('(' ~ text_literal(node.unique_id) ~ ', ' ~ text_literal(parent) ~ ')') -%}
        {%- endfor -%}
        {%- if node.resource_type == 'test' and node.depends_on.nodes | select('in', above) | list -%}
            {%- do tests.append(text_literal(node.unique_id)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if pairs -%}
        {%- set last = 'select max(number) as number from ' ~ audit_relation('run_nodes') ~ " where status = 'success' and node = " -%}
        {%- for row in run_query(
            'select node, parent, built.number is null as is_missing from (values ' ~ pairs | join(', ') ~ ') as pairs (node, parent) '
            ~ 'cross join lateral (' ~ last ~ 'pairs.node) as built cross join lateral (' ~ last ~ 'pairs.parent) as read '
            ~ 'where built.number is null or built.number < read.number order by 1, 2 limit 1'
        ).rows -%}
            {%- set names = [row['node'].split('.')[-1], row['parent'].split('.')[-1]] -%}
            {%- do exceptions.raise_compiler_error(
                'Nothing is published, since ' ~ names[0]
                ~ (' has not been built in this schema' if row['is_missing'] else ' was last built before ' ~ names[1] ~ ', which it reads')
                ~ '; build all models in one run, with `dbt run` or `dbt build`.'
            ) -%}
        {%- endfor -%}
        {%- for row in run_query(
            'select node from ' ~ audit_relation('run_nodes') ~ ' where run_id = ' ~ text_literal(run_id())
            ~ " and status in ('fail', 'error', 'runtime error') and node in (" ~ tests | join(', ') ~ ') order by node limit 1'
        ).rows -%}
            {%- do exceptions.raise_compiler_error(
                'Nothing is published, since the test ' ~ row['node'].split('.')[2] ~ ' has failed in this run; correct the cause and run `dbt build` again.'
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#
    Stops a model if dbt would not wait for a test with severity `error` of what is above it: dbt waits only for tests that read nothing else.

    Arguments: model, its node in dbt's graph.
#}
{% macro require_tests_first(model) -%}
    {%- set above = nodes_above(model) -%}
    {%- for test in graph.nodes.values() if test.resource_type == 'test' and test.config.severity | lower == 'error' -%}
        {%- set others = test.depends_on.nodes | unique | reject('in', above) | list -%}
        {%- set is_above = others | length < test.depends_on.nodes | unique | list | length -%}
        {%- if is_above and others and model.unique_id not in others and not others[0].startswith('source.') -%}
            {%- do exceptions.raise_compiler_error(
                'Nothing is published, since dbt would not wait for the test ' ~ test.name ~ ', which also reads ' ~ others[0].split('.')[-1]
                ~ '; add the line `-- depends_on: {{ ref(' ~ "'" ~ others[0].split('.')[-1] ~ "'" ~ ') }}` to ' ~ model.original_file_path
                ~ ", or set the test's severity to warn."
            ) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
