{#
    At the end of `dbt build` and `dbt run`: says in one line how many rows were read, published and
    rejected and where to look next, or that the published tables are those of an earlier run.

    Arguments: results, those of the run; the variable of the same name in on-run-end.

    The environment variable SHOW_FEATURES, a number, has that many users printed as well.
#}
{% macro report_run(results) -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set failed, candidates = [], [] -%}
        {%- set published = [] -%}
        {%- set counted = [] -%}
        {%- for result in results -%}
            {%- if result.status in ('error', 'fail', 'runtime error') -%}
                {%- do failed.append(result.node.name) -%}
            {%- elif result.status == 'success' and result.node.resource_type == 'model' -%}
                {%- do published.append(result.node.name) if result.node.name == 'publications' -%}
                {%- do candidates.append(result.node.name) if result.node.config.materialized == 'candidate' -%}
                {%- do counted.append(result.node.name) if result.node.name == 'int_rows_per_file' -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set staging = target.schema ~ '_staging' -%}
        {%- set counts_relation = api.Relation.create(schema=staging, identifier='int_rows_per_file') -%}
        {%- if published | length == 1 -%}
            {%- set show = env_var('SHOW_FEATURES', '') | int -%}
            {%- if show > 0 -%}
                {%- do show_features(show) -%}
            {%- endif -%}
            {%- set marts = target.schema -%}
            {%- set counts = run_query(
                'select sum(rows_read) as rows_read, sum(rows_rejected) as rows_rejected, sum(cells_left_out) as cells_left_out, '
                ~ "sum(rows_accepted) filter (where file = 'users.csv') as users from " ~ counts_relation
            ).rows[0] -%}
            {%- do print(
                'Rows read: ' ~ counts['rows_read'] ~ ', users published: ' ~ counts['users']
                ~ ', rows rejected: ' ~ counts['rows_rejected'] ~ ', cells left out: ' ~ counts['cells_left_out']
                ~ '. The features are in ' ~ marts ~ '.user_features, the means over all users in ' ~ marts
                ~ '.experiment_summary, the reasons of rejects in ' ~ marts ~ '.rejected_rows.'
            ) -%}
        {%- elif failed | length > 0 -%}
            {%- if 'rejected_rows_are_tolerable' in failed and counted | length == 1 -%}
                {%- for row in run_query('select * from ' ~ counts_relation ~ ' where rows_rejected > 0 order by file').rows -%}
                    {%- do print(
                        row['file'] ~ ': ' ~ row['rows_rejected'] ~ ' of ' ~ row['rows_read'] ~ ' rows are rejected; '
                        ~ 'the reasons are in ' ~ staging ~ '.int_rejected_rows.'
                    ) -%}
                {%- endfor -%}
            {%- endif -%}
            {%- do print(
                'Nothing was published: ' ~ failed[:3] | join(', ') ~ (' and others' if failed | length > 3 else '')
                ~ ' did not succeed, so ' ~ target.schema ~ '.user_features is as it was before this run.'
            ) -%}
        {%- elif candidates | length > 0 -%}
            {%- do print(
                'Nothing was published: this run built ' ~ candidates | join(', ') ~ ' without publications. Publish with `dbt build` or `dbt run`;'
                ~ ' or give each command of a run the same FEATURES_RUN_ID and end with `dbt run --select publications`.'
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
