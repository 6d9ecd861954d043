{#
    Updates the history of a published table, in the transaction that publishes it. The history is the table
    `<its name>_history`: one row per state of a row, from when it was published until it changed or was no longer
    published. The macro does nothing on Spark, whose file-based tables cannot be updated.

    Arguments: published, the table, with the new rows in it; mart, its node in dbt's graph.
#}
{% macro record_history(published, mart) -%}
    {{ return(adapter.dispatch('record_history')(published, mart)) }}
{%- endmacro %}

{% macro spark__record_history(published, mart) -%}
{%- endmacro %}

{% macro default__record_history(published, mart) -%}
    {%- set history = published.incorporate(path={'identifier': published.identifier ~ '_history'}) -%}
    {%- set key = primary_key(mart) -%}
    {%- set own = mart.columns | select('in', history_columns()) | list -%}
    {%- if own or not key -%}
        {%- do exceptions.raise_compiler_error(
            'The history of ' ~ mart.name ~ (' needs the name ' ~ own[0] ~ '; rename that column' if own else ' needs a primary key; add one')
            ~ ' in ' ~ mart.patch_path.split('://')[-1] ~ '.'
        ) -%}
    {%- endif -%}
    {%- set all_columns = dict(mart.columns, **history_columns()) -%}
    {%- do prepare_table(history, all_columns) -%}
    {%- do persist_docs(history, {
        'description': 'One row per state that a row of ' ~ published.identifier ~ ' had, from when it was published until it changed.',
        'columns': all_columns
    }) -%}
    {%- set columns = mart.columns.keys() | join(', ') -%}
    {%- call statement('update') %}
        update {{ history }} as history
        set valid_to = {{ publication_time(this) }}
        from (
            select {{ columns }} from {{ history }} where valid_to is null
            except
            select {{ columns }} from {{ published }}
        ) as outdated
        where
            history.valid_to is null
            and (history.{{ key | join(', history.') }}) = (outdated.{{ key | join(', outdated.') }})
    {%- endcall -%}
    {%- call statement('insert') %}
        insert into {{ history }} ({{ columns }}, state_id, recorded, valid_from)
        select {{ columns }}, {{ snapshot_hash_arguments(key + [publication_time(this)]) }}, {{ publication_time(this) }}, {{ publication_time(this) }}
        from {{ published }} as published
        where not exists (
            select 1 from {{ history }} as history
            where
                history.valid_to is null
                and (history.{{ key | join(', history.') }}) = (published.{{ key | join(', published.') }})
        )
    {%- endcall -%}
{%- endmacro %}
