{#
    A list of ids as a list of bigint: null for an item that is not an id; empty items are skipped.

    In:  parse_id_list('experiment_compound_ids')        Out: '1;3', '[1, 3]' and '"1"|"3"' give {1,3}; ' 01 ;; x' {1,null}

    Arguments: text, an expression for trimmed text. Null gives an empty list or null, depending on the engine.
#}
{% macro parse_id_list(text) -%}
    {{ return(adapter.dispatch('parse_id_list')(text)) }}
{%- endmacro %}

{#
    A list without the brackets, quotes or ="" around it, separated by semicolons; empty if the text means that the list is missing.

    A list has one kind of separator, the first of ; | , that it contains. In 1;2,3 the comma could also be a decimal mark,
    so the item 2,3 is not an id. Nor is 1,002, in which the comma would group digits. Lines of a cell are items, too.
#}
{% macro separated_by_semicolons(text) -%}
{%- set text = "translate(" ~ text ~ ", '；，、', ';,,')" -%}
{%- set ends = "left(" ~ text ~ ", 1) || right(" ~ text ~ ", 1)" -%}
{%- set list -%}
case
        when
            {{ ends }} in ('[]', '{}', '()')
            or ({{ ends }} = '""' and {{ text }} like '__%' and {{ text }} not like '_%"%_')
            or ({{ ends }} = {{ text_literal("''") }} and {{ text }} like '__%' and {{ text }} not like {{ text_literal("_%'%_") }})
            then substr({{ text }}, 2, length({{ text }}) - 2)
        when ({{ text }} like '="%"' and {{ text }} not like '__%"%_') or {{ text }} like 'c(%)' then substr({{ text }}, 3, length({{ text }}) - 3)
        else {{ text }}
    end
{%- endset -%}
case
    when {{ is_missing(text) }} then ''
    when {{ text }} like '%;%' then {{ list }}
    when {{ text }} like '%|%' then replace({{ list }}, '|', ';')
    when {{ text }} like '%,0%' and {{ matches(text, grouped_digits()) }} then {{ text }}
    else translate({{ list }}, '{{ ',\n\r' }}', ';;;')
end
{%- endmacro %}

{#
    Nearly all lists are plain: digits, all or none of them in quotes, and single separators. They are cast as a whole. The
    first test is for plain semicolons, since it costs a third of the general one; a pattern that bounds the number of
    digits would cost several times as much.

    In any other list, separators are made single, marks and leading zeros are removed, and items that are not ids are
    replaced with `?`, which `string_to_array` turns into null. A subquery would keep Postgres from running in parallel.
#}
{% macro postgres__parse_id_list(text) -%}
{%- set lists = [] -%}
{%- for id in ('[0-9]+', '"[0-9]+"', "'[0-9]+'") -%}
    {%- for separator in (';', '[|]', ',') -%}
        {%- do lists.append(id ~ '( *' ~ separator ~ ' *' ~ id ~ ')*') -%}
    {%- endfor -%}
{%- endfor -%}
{%- set plain = '(' ~ lists | join('|') ~ ')' -%}
{%- set white = white_space_characters() -%}
{%- set single = "trim(both '" ~ white ~ ";' from regexp_replace(" ~ separated_by_semicolons(text) ~ ", '[;" ~ white ~ "]*;[;" ~ white ~ "]*', ';', 'g'))" -%}
{%- set marked = with_marks('0*([0-9]+)' ~ decimals_of_zero()) | replace('(0*', '(?:0*') -%}
{%- set digits_only = "regexp_replace(" ~ single ~ ", " ~ text_literal('(^|;)(?:' ~ marked ~ ')(?=;|$)') ~ ", '\\1\\2\\3\\4', 'g')" -%}
{%- set largest = '9223372036854775807' -%}
{%- set ids = ['[0-9]{1,18}', largest] -%}
{%- for place in range(19) if largest[place] != '0' -%}
    {%- do ids.append(largest[:place] ~ '[' ~ (0 if place else 1) ~ '-' ~ (largest[place] | int - 1) ~ '][0-9]{' ~ (18 - place) ~ '}') -%}
{%- endfor -%}
case
    when {{ matches(text, '[0-9]+(;[0-9]+)*') }} and (length({{ text }}) <= 18 or {{ text }} !~ '[0-9]{19}')
        then cast('{' || replace({{ text }}, ';', ',') || '}' as bigint[])
    when
        {{ matches(text, plain ~ '|\\[ *' ~ plain ~ ' *\\]|[{] *' ~ plain ~ ' *[}]|[(] *' ~ plain ~ ' *[)]') }}
        and (length({{ text }}) <= 18 or {{ text }} !~ '[0-9]{19}')
        and {{ text }} not like '%,0%'
        then cast('{' || translate(trim(both '[](){}' from {{ text }}), ';|''"', ',,') || '}' as bigint[])
    else cast(string_to_array(
        regexp_replace({{ digits_only }}, '(^|;)(?!({{ ids | join('|') }})(;|$))[^;]+', '\1?', 'g'), ';', '?'
    ) as bigint[])
end
{%- endmacro %}

{% macro duckdb__parse_id_list(text) -%}
case
    when {{ matches(text, '[0-9]{1,18}(;[0-9]{1,18})*') }} then cast(string_split({{ text }}, ';') as bigint[])
    else list_transform(
        list_filter(
            list_transform(string_split({{ separated_by_semicolons(text) }}, ';'), lambda part: {{ trim_white_space('part') }}),
            lambda entry: entry <> ''
        ),
        lambda entry: {{ parse_id('entry') }}
    )
end
{%- endmacro %}

{% macro spark__parse_id_list(text) -%}
transform(
    filter(transform(split({{ separated_by_semicolons(text) }}, ';'), part -> {{ trim_white_space('part') }}), entry -> entry <> ''),
    entry -> {{ parse_id('entry') }}
)
{%- endmacro %}
