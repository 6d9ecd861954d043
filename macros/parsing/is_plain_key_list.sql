{#
    Whether a list is nothing but keys of at most 18 digits, without leading zeros, between single
    semicolons, as nearly all lists are: it can be taken apart by plain_keys(). It has at most 10,000 characters.

    In:  is_plain_key_list('experiment_compound_ids')
    Out: true for '1;3', '2;2' and '2'; false for '', '1;01', '1; 3', '1;' and 'x'

    Arguments: text, an expression for trimmed text.
#}
{% macro is_plain_key_list(text) -%}
    {{ return(adapter.dispatch('is_plain_key_list')(text)) }}
{%- endmacro %}

{% macro default__is_plain_key_list(text) -%}
(
    length({{ text }}) <= 10000
    and {{ matches(text, '([1-9][0-9]{0,17};)*[1-9][0-9]{0,17}') }}
)
{%- endmacro %}

{# A pattern with bounds costs Postgres several times as much. #}
{% macro postgres__is_plain_key_list(text) -%}
(
    {{ text }} ~ '^[1-9][0-9]*(;[1-9][0-9]*)*$'
    and (length({{ text }}) <= 18 or (length({{ text }}) <= 10000 and {{ text }} !~ '[0-9]{19}'))
)
{%- endmacro %}
