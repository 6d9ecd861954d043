{#
    Brings the history up to date in the transaction that publishes a table, so that a state is on record also where
    the run is killed before the snapshot, or is a `dbt run`, which has none. A hook, after the table has been replaced.

    The history is the snapshot `<name of the table>_history`, and what is written is what dbt would write. Where it
    lacks a column of the table, the snapshot adds that, and the states with it. Nothing on other engines than Postgres.

    Arguments: unique_key, the column that names whose state it is.
#}
{% macro record_published_states(unique_key) -%}
    {{ return(adapter.dispatch('record_published_states')(unique_key)) }}
{%- endmacro %}

{% macro default__record_published_states(unique_key) -%}
{%- endmacro %}

{% macro postgres__record_published_states(unique_key) -%}
    {%- if execute -%}
    {%- set history = this.incorporate(path={'identifier': this.identifier ~ '_history'}, type='table') -%}
    {%- if load_cached_relation(history) is none -%}
        {%- do run_query(
            'create table ' ~ history ~ ' as select published.*, null::text as state_id, now() as recorded, '
            ~ 'now() as valid_from, now() as valid_to from ' ~ this ~ ' as published with no data'
        ) -%}
        {%- do adapter.cache_added(history) -%}
    {%- endif -%}
    {%- set columns = adapter.get_columns_in_relation(this) | map(attribute='quoted') | join(', ') -%}
    {%- if not adapter.get_missing_columns(this, history) %}
with

published as (

    select {{ columns }} from {{ this }}

),

on_record as (

    select {{ columns }} from {{ history }} where valid_to is null

),

begun as (

    select * from published
    except
    select * from on_record

),

ended as (

    select * from on_record
    except
    select * from published

),

closed as (

    update {{ history }}
    set valid_to = {{ snapshot_get_time() }}
    where valid_to is null and {{ unique_key }} in (select {{ unique_key }} from ended)

)

insert into {{ history }} ({{ columns }}, state_id, recorded, valid_from)
select
    {{ columns }},
    {{ snapshot_hash_arguments([unique_key, snapshot_get_time()]) }},
    {{ snapshot_get_time() }},
    {{ snapshot_get_time() }}
from begun
    {%- endif -%}
    {%- endif -%}
{%- endmacro %}
