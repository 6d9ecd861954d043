{#
    A list of ids between semicolons as a list of bigint: an entry that is not an id is null, an empty one is left out.

    In:  parse_id_list('experiment_compound_ids')        Out: '1;3' gives {1,3}; ' 01 ;; x;1' gives {1,null,1}

    Arguments: text, an expression for trimmed text; null gives an empty list or null, as the engine has it.
#}
{% macro parse_id_list(text) -%}
    {{ return(adapter.dispatch('parse_id_list')(text)) }}
{%- endmacro %}

{#
    Nearly all lists are digits and single semicolons, and are cast as a whole. A pattern with bounds for their length
    would cost several times as much.

    In any other list, separators are made single, leading zeros removed and entries that are not ids replaced by `?`,
    which `string_to_array` takes for null. Patterns rather than a subquery, which Postgres would not run in parallel.
#}
{% macro postgres__parse_id_list(text) -%}
{%- set single = "btrim(regexp_replace(" ~ text ~ ", '[;" ~ white_space_characters() ~ "]*;[;" ~ white_space_characters() ~ "]*', ';', 'g'), " ~ white_space() ~ " || ';')" -%}
{%- set without_zeros = "regexp_replace(" ~ single ~ ", '(^|;)0+([0-9])', '\\1\\2', 'g')" -%}
{%- set largest = '9223372036854775807' -%}
{%- set ids = ['[0-9]{1,18}', largest] -%}
{%- for place in range(19) if largest[place] != '0' -%}
    {%- do ids.append(largest[:place] ~ '[' ~ (0 if place else 1) ~ '-' ~ (largest[place] | int - 1) ~ '][0-9]{' ~ (18 - place) ~ '}') -%}
{%- endfor -%}
case
    when {{ matches(text, '[0-9]+(;[0-9]+)*') }} and (length({{ text }}) <= 18 or {{ text }} !~ '[0-9]{19}')
        then cast('{' || replace({{ text }}, ';', ',') || '}' as bigint[])
    else cast(string_to_array(
        regexp_replace({{ without_zeros }}, '(^|;)(?!({{ ids | join('|') }})(;|$))[^;]+', '\1?', 'g'), ';', '?'
    ) as bigint[])
end
{%- endmacro %}

{% macro duckdb__parse_id_list(text) -%}
case
    when {{ matches(text, '[0-9]{1,18}(;[0-9]{1,18})*') }} then cast(string_split({{ text }}, ';') as bigint[])
    else list_transform(
        list_filter(
            list_transform(string_split({{ text }}, ';'), lambda part: {{ trim_white_space('part') }}),
            lambda entry: entry <> ''
        ),
        lambda entry: {{ parse_id('entry') }}
    )
end
{%- endmacro %}

{% macro spark__parse_id_list(text) -%}
transform(
    filter(transform(split({{ text }}, ';'), part -> {{ trim_white_space('part') }}), entry -> entry <> ''),
    entry -> {{ parse_id('entry') }}
)
{%- endmacro %}
