{#
    Brings the history up to date in the transaction that publishes a table, so that a state is on record also where
    the run is killed before the snapshot, or is a `dbt run`, which has none. A hook, after the table has been replaced.

    The history is the snapshot `<name of the table>_history`, which `prepare_history` has made ready, and what is
    written is what dbt would write. Nothing on other engines than Postgres.

    Arguments: unique_key, the column that names whose state it is.
#}
{% macro record_published_states(unique_key) -%}
    {{ return(adapter.dispatch('record_published_states')(unique_key)) }}
{%- endmacro %}

{% macro default__record_published_states(unique_key) -%}
{%- endmacro %}

{% macro postgres__record_published_states(unique_key) -%}
    {%- set history = history_relation() -%}
    {%- set columns = model.columns.values() | map(attribute='name') | join(', ') -%}
    {#- The table is locked by now; the transaction may have begun long before, and waited for readers. -#}
    {%- set time = 'statement_timestamp()' %}
with

published as (

    select {{ columns }} from {{ this }}

),

on_record as (

    select {{ columns }} from {{ history }} where valid_to is null

),

changed as (

    (select * from published except select * from on_record)
    union all
    (select * from on_record except select * from published)

),

closed as (

    update {{ history }}
    set valid_to = {{ time }}
    where valid_to is null and {{ unique_key }} in (select {{ unique_key }} from changed)

)

insert into {{ history }} ({{ columns }}, state_id, recorded, valid_from)
select {{ columns }}, {{ snapshot_hash_arguments([unique_key, time]) }}, {{ time }}, {{ time }}
from published
where {{ unique_key }} in (select {{ unique_key }} from changed)
{%- endmacro %}
