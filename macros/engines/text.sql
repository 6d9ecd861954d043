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

{#
    Text as a literal that means just this text.

    In:  text_literal("O'Neil")      Out: 'O''Neil'
#}
{% macro text_literal(text) -%}
    {{ return(adapter.dispatch('text_literal')(text)) }}
{%- endmacro %}

{% macro default__text_literal(text) -%}
'{{ text | replace("'", "''") }}'
{%- endmacro %}

{% macro spark__text_literal(text) -%}
'{{ text | replace("\\", "\\\\") | replace("'", "\\'") }}'
{%- endmacro %}

{#
    The code of a text's first character in hexadecimal digits.

    In:  code_point('entry')        Out: 'é' gives 'E9'
#}
{% macro code_point(text) -%}
    {{ return(adapter.dispatch('code_point')(text)) }}
{%- endmacro %}

{% macro default__code_point(text) -%}
upper(to_hex(ascii({{ text }})))
{%- endmacro %}

{% macro spark__code_point(text) -%}
hex(ascii({{ text }}))
{%- endmacro %}
