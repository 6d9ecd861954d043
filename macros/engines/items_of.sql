{#
    A source of rows for the items of a list, behind `cross join`: their values, and their places, counted
    from the first.

    In:  cross join {{ items_of(split_text('ids', "';'"), 'parts', 'part', 'place') }}

    Arguments: list, an expression; alias, of the source; item and place, the names of its columns; without a
    place, the engine need not number them.
#}
{% macro items_of(list, alias, item, place=none) -%}
    {{ return(adapter.dispatch('items_of')(list, alias, item, place)) }}
{%- endmacro %}

{% macro default__items_of(list, alias, item, place) -%}
unnest({{ list }}){{ ' with ordinality' if place }} as {{ alias }} ({{ item }}{{ ', ' ~ place if place }})
{%- endmacro %}

{% macro spark__items_of(list, alias, item, place) -%}
lateral {{ 'posexplode' if place else 'explode' }}({{ list }}) as {{ alias }} ({{ place ~ ', ' if place }}{{ item }})
{%- endmacro %}
