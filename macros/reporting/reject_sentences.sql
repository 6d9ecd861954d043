{#
    Why rows and cells could not be used, as a list of sentences: the most frequent causes per file, each with the first
    cell as an example and what to do about it, then the number of the other causes.

    Out: ['user_experiments.csv: 2 of 12 rows: the user_id is missing, as on line 2; fill in the user_id.', ...]

    Arguments: most, the maximum number of causes per file.
#}
{% macro reject_sentences(most=5) -%}
    {%- set staging = target.schema ~ '_staging' -%}
    {%- set causes -%}
select
    causes.*,
    rows_per_file.rows_read
from {{ api.Relation.create(schema=staging, identifier='int_reject_causes') }} as causes
inner join {{ api.Relation.create(schema=staging, identifier='int_rows_per_file') }} as rows_per_file on causes.file = rows_per_file.file
order by causes.file desc, causes.affected_rows desc, causes.first_row_number, causes.column_name, causes.code
    {%- endset -%}
    {%- set sentences = [] -%}
    {#- Users first, since their problems explain many of the others. -#}
    {%- for file in run_query(causes).rows | groupby('file') | reverse -%}
        {%- for cause in file.list[:most] -%}
            {%- set is_all = cause['affected_rows'] == cause['rows_read'] -%}
            {%- set how_many = 'all ' ~ cause['rows_read'] if is_all and cause['rows_read'] > 1 else cause['affected_rows'] ~ ' of ' ~ cause['rows_read'] -%}
            {%- set example = ', for example "' ~ cause['example'] ~ '" on line ' if cause['example'] else ', as on line ' -%}
            {%- do sentences.append(
                file.grouper ~ ': ' ~ how_many ~ (' row: ' if cause['rows_read'] == 1 else ' rows: ')
                ~ cause['reason'][:1] | lower ~ cause['reason'][1:].rstrip('.') ~ example ~ cause['first_source_row_number']
                ~ (' of ' ~ cause['first_source_file'] if cause['first_source_file'] != file.grouper else '') ~ '; '
                ~ cause['remedy'][:1] | lower ~ cause['remedy'][1:]
            ) -%}
        {%- endfor -%}
        {%- set others = file.list[most:] -%}
        {%- if others -%}
            {%- do sentences.append(
                file.grouper ~ ': and ' ~ others | length ~ ' more ' ~ ('cause' if others | length == 1 else 'causes')
                ~ ' (' ~ others | sum('affected_rows') ~ (' row' if others | sum('affected_rows') == 1 else ' rows') ~ '); `make rejects` prints them.'
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(sentences) }}
{%- endmacro %}
