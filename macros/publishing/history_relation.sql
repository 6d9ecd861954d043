{#
    The history of the table that is being built: the snapshot of the same name with `_history`.

    In:  history_relation()      Out: "postgres"."features"."user_features_history"
#}
{% macro history_relation() -%}
    {{ return(this.incorporate(path={'identifier': this.identifier ~ '_history'}, type='table')) }}
{%- endmacro %}
