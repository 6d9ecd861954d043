{#
    The entries of a list of keys, in order, as an array of bigint; null for an entry that is not a key,
    nothing for an empty one.

    In:  parse_key_list('experiment_compound_ids')
    Out: '1;3' gives {1,3}; '; 2;x;;02' gives {2,null,2}; '' gives {}

    Arguments: text, an expression for trimmed text.

    A list of digits and single semicolons, as nearly all are, is cast as a whole.
#}
{% macro parse_key_list(text) -%}
case
    when {{ text }} ~ '^[0-9]+(;[0-9]+)*$' and (length({{ text }}) <= 18 or {{ text }} !~ '[0-9]{19}')
        then cast(string_to_array({{ text }}, ';') as bigint[])
    else array(
        select {{ parse_key('entries.entry') }}
        from (
            select
                {{ trim_white_space('parts.part') }} as entry,
                parts.place
            from unnest(string_to_array({{ text }}, ';')) with ordinality as parts (part, place)
        ) as entries
        where entries.entry <> ''
        order by entries.place
    )
end
{%- endmacro %}
