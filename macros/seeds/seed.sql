{#
    Replaces dbt's `seed` materialization: the rows come from the project's reader (`modules.seed_rows`, the package
    experiment_features.reading) and are loaded in bulk. dbt's own reader cannot read a header after an empty line, a quoted
    cell after a tab or a row of the wrong length, and it loads cell by cell.

    The table is refilled in place, in one transaction. A load that fails leaves it as it was, and the views on it survive.

    It loads the columns described in the seed's YAML, or all columns of the file if none is described. It looks for the file
    in the folder that SEEDS_DIR names, by default where dbt found the seed.
#}
{% materialization seed, default %}

    {#- The seeds of an installed package are as its author expects them. -#}
    {%- if model.package_name != project_name -%}
        {{ return(dbt.materialization_seed_default()) }}
    {%- endif -%}

    {%- if not modules.seed_rows -%}
        {%- do exceptions.raise_compiler_error(
            "Loading files needs the dbt in the project's environment, and this is another one; create the environment with `make up`, "
            ~ 'activate it with `source .venv/bin/activate`, and load again.'
        ) -%}
    {%- endif -%}
    {%- set target_relation = this.incorporate(type='table') -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {#- Opens the transaction for the whole load. -#}
    {%- call statement('begin', auto_begin=True) -%} select 1 {%- endcall -%}
    {%- set rows = modules.seed_rows(model) -%}
    {%- do create_raw_table(target_relation, model.columns.keys() | list or rows.columns) if not rows.problem -%}
    {%- do load_rows(target_relation, rows) -%}
    {%- do exceptions.raise_compiler_error(rows.named_problem) if rows.problem -%}
    {%- set load = record_load(model.name ~ '.csv', rows) -%}

    {#- What `dbt seed --show` prints. -#}
    {%- set preview = 'select * from ' ~ target_relation ~ ' order by row_number limit ' ~ (5 if invocation_args_dict.show else 0) -%}
    {%- do store_result('agate_table', response='OK', agate_table=run_query(preview)) -%}
    {%- call noop_statement('main', 'LOADED ' ~ rows.count, 'LOADED', rows.count) -%}
        -- loaded by the macro load_rows
    {%- endcall -%}

    {%- do apply_grants(target_relation, config.get('grants'), should_revoke=True) -%}
    {%- do persist_docs(target_relation, model) -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target_relation, load]}) }}

{% endmaterialization %}
