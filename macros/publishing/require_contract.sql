{#
    Stops a model whose candidate breaks its contract, and names the column and the first offending row. It works on all
    engines, with or without constraints.

    Arguments: candidate, the table.
#}
{% macro require_contract(candidate) -%}
    {%- set key = primary_key(model) -%}
    {%- set row_id = "''" if not key else "'" ~ key | join(', ') ~ " ' || concat_ws(', ', " ~ key | join(', ') ~ ')' -%}
    {%- set ordering = 'order by ' ~ key | join(', ') if key else '' -%}
    {%- set rules = [] -%}
    {%- for column in model.columns.values() -%}
        {%- for constraint in column.constraints if constraint.type == 'not_null' -%}
            {%- do rules.append((column.name ~ ' is null', 'where ' ~ column.name ~ ' is null', row_id)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for constraint in table_constraints(model) -%}
        {%- if constraint.type == 'check' -%}
            {%- do rules.append((constraint.expression ~ ' does not hold', 'where not (' ~ constraint.expression ~ ')', row_id)) -%}
        {%- elif constraint.type == 'primary_key' -%}
            {%- set grouped = 'group by ' ~ key | join(', ') ~ ' having count(*) > 1' -%}
            {%- do rules.append((key | join(', ') ~ ' is not unique', grouped, row_id)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set queries = [] -%}
    {%- for problem, condition, id in rules -%}
        {%- do queries.append(
            '(select ' ~ text_literal(problem) ~ ' as problem, ' ~ id ~ ' as row_id from ' ~ candidate ~ ' ' ~ condition ~ ' ' ~ ordering ~ ' limit 1)'
        ) -%}
    {%- endfor -%}
    {%- for violation in (run_query(queries | join(' union all ')).rows if queries else []) -%}
        {%- do exceptions.raise_compiler_error(
            model.name ~ ' breaks its contract: ' ~ violation['problem'] ~ (' for ' ~ violation['row_id'] if violation['row_id'] else '')
            ~ '. Nothing is published; correct ' ~ model.original_file_path ~ '.'
        ) -%}
    {%- endfor -%}
{%- endmacro %}
