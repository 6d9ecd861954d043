{#
    A source of rows for the different items of a list, behind `cross join`; nulls are left out.

    In:  cross join {{ unnest_distinct('compound_ids', 'listed', 'compound_id') }}
    Out: for the list {3,1,null,3} the rows 3 and 1

    Arguments: list, an expression; alias, of the source; item, the name of its column.
#}
{% macro unnest_distinct(list, alias, item) -%}
    {{ return(adapter.dispatch('unnest_distinct')(list, alias, item)) }}
{%- endmacro %}

{# An item counts where it is the first one like it: in short lists that costs nothing, where `distinct` would sort each. #}
{% macro postgres__unnest_distinct(list, alias, item) -%}
lateral (
    select items.item as {{ item }}
    from unnest({{ list }}) with ordinality as items (item, place)
    where items.item is not null and array_position({{ list }}, items.item) = items.place
) as {{ alias }}
{%- endmacro %}

{% macro duckdb__unnest_distinct(list, alias, item) -%}
unnest(list_distinct({{ list }})) as {{ alias }} ({{ item }})
{%- endmacro %}

{% macro spark__unnest_distinct(list, alias, item) -%}
lateral explode(array_compact(array_distinct({{ list }}))) as {{ alias }} ({{ item }})
{%- endmacro %}
