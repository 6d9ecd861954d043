{#
    Reports at the end of `dbt build` and `dbt run` why rows and cells could not be used. The last line gives the number of
    rows read and rejected and of users published, or why nothing was published.

    Arguments: results, the variable of the same name in on-run-end.

    If the environment variable SHOW_FEATURES is a number, the macro also prints that many users. The module
    src/dbt_experiment_features.py prints the report after dbt's own summary; without that module, the macro prints it here.
#}
{% macro report_run(results) -%}
    {%- if execute and not modules.keep_report -%}
        {%- do exceptions.warn(
            "This dbt is not the one in the project's environment, so this run has no lock and is not in the run log; "
            ~ 'create the environment with `make up`, and activate it with `source .venv/bin/activate`.'
        ) -%}
    {%- endif -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set failed, candidates, built = [], [], [] -%}
        {%- for result in results -%}
            {%- if result.status in ('error', 'fail', 'runtime error') -%}
                {%- do failed.append(result.node.name) -%}
            {%- elif result.status == 'success' and result.node.resource_type == 'model' -%}
                {%- do built.append(result.node.name) -%}
                {%- do candidates.append(result.node.name) if result.node.config.materialized == 'candidate' -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set is_published = 'publications' in built -%}
        {%- set is_counted = is_published or ('int_reject_causes' in built and 'int_rows_per_file' in built) -%}
        {%- set causes = reject_sentences() if is_counted else [] -%}
        {%- set counts_relation = api.Relation.create(schema=target.schema ~ '_staging', identifier='int_rows_per_file') -%}
        {%- set outcome -%}
            {%- if is_published -%}
                {%- set counts = run_query(
                    'select sum(rows_read) as rows_read, sum(rows_rejected) as rows_rejected, sum(cells_left_out) as cells_left_out, '
                    ~ "sum(rows_accepted) filter (where file = 'users.csv') as users from " ~ counts_relation
                ).rows[0] -%}
                Rows read: {{ counts['rows_read'] }}, users published: {{ counts['users'] }}, rows rejected: {{ counts['rows_rejected'] -}}
                , cells left out: {{ counts['cells_left_out'] }}. The features are in {{ target.schema }}.user_features, the means in {{ '' -}}
                {{ target.schema }}.experiment_summary, the reasons for rejects in {{ target.schema }}.rejected_rows.
            {%- elif failed -%}
                {%- set reasons = run_query(
                    'select mismatch from ' ~ counts_relation ~ ' where mismatch is not null order by file'
                ).columns['mismatch'].values() | list if is_counted else [] -%}
                {%- set failed = failed | reject('in', ['rejected_rows_are_tolerable', 'publications']) | list if reasons else failed -%}
                {%- if failed -%}
                    {%- do reasons.append(failed[:3] | join(', ') ~ (' and others' if failed | length > 3 else '') ~ ' did not succeed') -%}
                {%- endif -%}
                Nothing was published: {{ reasons | join(', and ') }}, so {{ target.schema }}.user_features is as it was before this run.
            {%- elif candidates -%}
                Nothing was published: this run built {{ candidates | join(', ') }} without publications. Publish with `dbt build` or `dbt run`; {{ '' -}}
                or give each command of a run the same FEATURES_RUN_ID and end with `dbt run --select publications`.
            {%- endif -%}
        {%- endset -%}
        {%- if is_published and env_var('SHOW_FEATURES', '') | int > 0 -%}
            {%- do show_features(env_var('SHOW_FEATURES') | int) -%}
        {%- endif -%}
        {%- if modules.keep_report -%}
            {%- do modules.keep_report(causes, outcome) -%}
        {%- else -%}
            {%- for line in causes + [outcome] if line -%}
                {%- do print(line) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
