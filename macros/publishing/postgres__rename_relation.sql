{#
    dbt's `rename_relation`, with which a new table takes the place of the old one. The new one is committed before, in
    a transaction of its own. A reader who comes in between waits for the swap, and a prepared statement waits with the
    view of the data that it began with: it would find the new table empty if its rows were not there by then.

    What is left of a run that ends here is removed by the next one, as dbt does with any `__dbt_tmp`.
#}
{% macro postgres__rename_relation(from_relation, to_relation) -%}
    {%- if to_relation.identifier.endswith('__dbt_backup') -%}
        {%- call statement('commit_before_swap') -%} commit; begin {%- endcall -%}
    {%- endif -%}
    {{ default__rename_relation(from_relation, to_relation) }}
{%- endmacro %}
