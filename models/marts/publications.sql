{{ config(materialized='publication', pre_hook=["{{ require_lock() }}", "{{ require_one_load() }}"]) }}
-- depends_on: {{ ref('user_features') }}
-- depends_on: {{ ref('experiment_summary') }}
-- depends_on: {{ ref('compound_usage') }}
-- depends_on: {{ ref('rejected_rows') }}
-- depends_on: {{ ref('int_rejected_row_text') }}

with

rows_per_file as (

    select * from {{ ref('int_rows_per_file') }}

),

loaded_files as (

    {{ loaded_files() }}

),

published_files as (

    select
        rows_per_file.file,

        loaded_files.size_bytes,
        loaded_files.sha256,

        rows_per_file.rows_read,
        rows_per_file.rows_accepted,
        rows_per_file.rows_rejected
    from rows_per_file
    left join loaded_files on rows_per_file.file = loaded_files.file

),

earlier as (

    select coalesce(max(publication_id), 0) as publication_id
    from {{ this }}

),

files as (

    select {{ rows_as_json('published_files', 'file') }} as files
    from published_files

),

final as (

    select
        earlier.publication_id + 1 as publication_id,
        {{ text_literal(run_id() if execute else '') }} as run_id,

        {{ text_literal(started_by() if execute else '') }} as started_by,
        files.files,

        {{ publication_time(this) }} as published_at
    from files
    cross join earlier

)

select * from final
