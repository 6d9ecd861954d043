{#
    Lets Postgres group by sorting only, for as long as one model is built, where groups are about as many
    as rows: it sorts many million numbers in a third of the time that it takes to hash them. Nothing on
    other engines.

    In:  sort_to_group()        Out: set local enable_hashagg = off
#}
{% macro sort_to_group() -%}
    {{ return(adapter.dispatch('sort_to_group')()) }}
{%- endmacro %}

{% macro default__sort_to_group() -%}
{%- endmacro %}

{% macro postgres__sort_to_group() -%}
set local enable_hashagg = off
{%- endmacro %}
