{#
    For the tests: loads many small inputs one after the other in one dbt process, with the macro that `dbt seed` uses, and
    calls a database function after each.

    Arguments: folder, with a folder for each case, named by its number, that holds the three files;
    count, how many cases; recorder, the name of a function (case integer, problem text), where problem
    is the file and sentence of a file that could not be loaded, or null.
#}
{% macro load_cases(folder, count, recorder) -%}
    {%- set seeds = graph.nodes.values() | selectattr('resource_type', 'equalto', 'seed') | selectattr('columns') | sort(attribute='name', reverse=true) -%}
    {%- for case in range(count) -%}
        {#- In an operation, dbt opens no transaction. -#}
        {%- do run_query('begin') -%}
        {%- set problems = [] -%}
        {%- for seed in seeds -%}
            {%- set relation = api.Relation.create(database=seed.database, schema=seed.schema, identifier=seed.name) -%}
            {%- do create_raw_table(relation, seed.columns.keys() | list) -%}
            {%- set rows = modules.seed_rows(seed, folder ~ '/' ~ case) -%}
            {%- do load_rows(relation, rows) -%}
            {%- if rows.problem -%}
                {%- do problems.append(seed.name ~ '.csv: ' ~ rows.problem) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set problem = "'" ~ problems[0] | replace("'", "''") ~ "'" if problems else 'null' -%}
        {%- do run_query('select ' ~ recorder ~ '(' ~ case ~ ', ' ~ problem ~ ')') -%}
        {%- do run_query('commit') -%}
    {%- endfor -%}
{%- endmacro %}
