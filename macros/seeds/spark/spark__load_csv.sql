{#
    `load_csv` on Spark, which reads the file by its own reader, in parallel, from wherever it can: the lines of each
    block are numbered in their order, and those of the blocks before it are added.
#}
{% macro spark__load_csv(relation, path, columns) -%}
    {%- set read -%}
        select value as line, monotonically_increasing_id() as id, _metadata.file_block_start as block_start
        from text.`{{ path | replace('`', '``') }}` with (linesep = '\n')
    {%- endset -%}
    {%- set blocks = run_query(
        "select block_start, count(*) as line_count, min(id) as first_id,"
        ~ " count(case when position('\"' in line) > 0 then 1 end) as lines_with_quotes,"
        ~ " min(case when not is_valid_utf8(line) or position(chr(0) in line) > 0 then id end) as first_not_text,"
        ~ " count(case when position(chr(13) in line) > 0 then 1 end) as lines_with_returns"
        ~ " from (" ~ read ~ ") as read_lines group by block_start order by block_start"
    ).rows -%}

    {%- set total = namespace(lines=0, quoted=false) -%}
    {%- set first_lines = [] -%}
    {%- for block in blocks -%}
        {%- if block['first_not_text'] is not none -%}
            {%- set line_number = (total.lines + block['first_not_text'] - block['first_id'] + 1) | int -%}
            {{ return({'way': 'READ', 'rows': 0, 'problem':
                'line ' ~ line_number ~ ' is not UTF-8 text; save the file as UTF-8 and load it again.'
            }) }}
        {%- endif -%}
        {%- do first_lines.append('(' ~ block['block_start'] | int ~ ', ' ~ (total.lines + 1 - block['first_id']) | int ~ ')') -%}
        {%- set total.lines = total.lines + block['line_count'] -%}
        {%- set total.quoted = total.quoted or block['lines_with_quotes'] > 0 -%}
    {%- endfor -%}

    {%- if total.lines == 0 -%}
        {%- set source = 'select cast(1 as bigint) as row_number, cast(null as string) as line where false' -%}
    {%- elif total.lines == 1 and blocks[0]['lines_with_returns'] > 0 -%}
        {#- Carriage returns are the line ends of a file without line feeds. -#}
        {%- set source = 'select returns.place + 1 as row_number, returns.line from (' ~ read ~ ") as read_lines"
            ~ " cross join lateral posexplode(split(read_lines.line, '\r')) as returns (place, line)" -%}
    {%- else -%}
        {%- set source = 'select /*+ broadcast(blocks) */ read_lines.id + blocks.id_to_number as row_number, read_lines.line from ('
            ~ read ~ ') as read_lines inner join (values ' ~ first_lines | join(', ')
            ~ ') as blocks (block_start, id_to_number) on read_lines.block_start = blocks.block_start' -%}
    {%- endif -%}
    {{ return(dict(load_lines(relation, [source], columns, total.quoted), way='READ')) }}
{%- endmacro %}
