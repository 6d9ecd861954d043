{#
    For the tests: loads many small inputs one after the other in one dbt process, each by `load_csv` into
    the raw tables and by `split_csv` into tables named <seed>_split, and calls a function of the database
    for each file.

    Arguments: folder, count: as of load_cases; recorder, the name of a function (case integer, file text,
    way text, problem text, problem of the other way text, rows that differ bigint).
#}
{% macro load_both_ways(folder, count, recorder) -%}
    {%- set seeds = graph.nodes.values() | selectattr('resource_type', 'equalto', 'seed') | selectattr('columns') | list -%}
    {%- for case in range(count) -%}
        {%- for seed in seeds -%}
            {#- dbt opens no transaction of its own in an operation. -#}
            {%- do run_query('begin') -%}
            {%- set path = folder ~ '/' ~ case ~ '/' ~ seed.name ~ '.csv' -%}
            {%- set columns = seed.columns.keys() | list -%}
            {%- set relation = api.Relation.create(database=seed.database, schema=seed.schema, identifier=seed.name) -%}
            {%- set split_relation = relation.incorporate(path={'identifier': seed.name ~ '_split'}) -%}
            {%- set loaded = load_csv(relation, path, columns) -%}
            {%- set split = split_csv(split_relation, path, columns) -%}
            {%- set problems = [] -%}
            {%- for problem in (loaded.problem, split.problem) -%}
                {%- do problems.append("'" ~ problem | replace("'", "''") ~ "'" if problem else 'null') -%}
            {%- endfor -%}
            {%- do run_query(
                'select ' ~ recorder ~ '(' ~ case ~ ", '" ~ seed.name ~ "', '" ~ loaded.way ~ "', " ~ problems | join(', ')
                ~ ', (select count(*) from ((table ' ~ relation ~ ' except all table ' ~ split_relation ~ ') union all (table '
                ~ split_relation ~ ' except all table ' ~ relation ~ ')) as differences))'
            ) -%}
            {%- do run_query('commit') -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}
