{#
    Whether the whole of a text matches a regular expression.

    In:  matches('user_id', '[0-9]+')       Out: true for '12', false for '', 'x' and '1 2'

    Arguments: text, an expression; pattern, of what all engines have in common: no references, no look ahead.
#}
{% macro matches(text, pattern) -%}
    {{ return(adapter.dispatch('matches')(text, pattern)) }}
{%- endmacro %}

{% macro default__matches(text, pattern) -%}
regexp_full_match({{ text }}, {{ text_literal(pattern) }})
{%- endmacro %}

{% macro postgres__matches(text, pattern) -%}
{{ text }} ~ {{ text_literal('^(?:' ~ pattern ~ ')$') }}
{%- endmacro %}

{# In Java's regular expressions a `$` would match before a line break at the end, too. #}
{% macro spark__matches(text, pattern) -%}
{{ text }} rlike {{ text_literal('\\A(?:' ~ pattern ~ ')\\z') }}
{%- endmacro %}
