{#
    Whether the whole of a text matches a regular expression.

    In:  matches('user_id', '[0-9]+')       Out: true for '12', false for '', 'x' and '1 2'

    Arguments: text, an expression; pattern, in the syntax that all engines share: no back references, no lookahead.
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

{# In Java's regular expressions, `$` also matches before a line break at the end. #}
{% macro spark__matches(text, pattern) -%}
{{ text }} rlike {{ text_literal('\\A(?:' ~ pattern ~ ')\\z') }}
{%- endmacro %}

{#
    A literal for a text, with its quotes escaped.

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
    The code point of a text's first character, in hexadecimal.

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
