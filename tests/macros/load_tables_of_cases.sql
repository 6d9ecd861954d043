{#
    For the tests: loads many small inputs in one dbt process, with the macro that `dbt seed` uses, each into its own raw
    tables: the case number 7 has case_7_users and so on, in the schema of the seeds. Prints one line of JSON for
    each file that could not be loaded.

    Arguments: folder, with a folder for each case, named by its number, that holds the three files; count, how
    many cases.
#}
{% macro load_tables_of_cases(folder, count) -%}
    {%- set seeds = graph.nodes.values() | selectattr('resource_type', 'equalto', 'seed') | selectattr('columns') | sort(attribute='name', reverse=true) -%}
    {%- do adapter.create_schema(api.Relation.create(database=seeds[0].database, schema=seeds[0].schema)) -%}
    {%- for case in range(count) -%}
        {%- for seed in seeds -%}
            {%- set columns = seed.columns.keys() | list -%}
            {%- set relation = api.Relation.create(schema=seed.schema, identifier='case_' ~ case ~ '_' ~ seed.name) -%}
            {%- do run_query('begin') if target.type != 'spark' -%}
            {%- do run_query(raw_table_definition(relation, columns)) -%}
            {%- set rows = modules.seed_rows(seed, folder ~ '/' ~ case) -%}
            {%- do load_rows(relation, rows) -%}
            {%- do run_query('commit') if target.type != 'spark' -%}
            {%- if rows.problem -%}
                {%- do print(tojson({'case': case, 'file': seed.name ~ '.csv', 'problem': rows.problem})) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}
