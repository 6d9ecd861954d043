-- depends_on: {{ ref('int_rows_per_file') }}
-- depends_on: {{ ref('int_user_features') }}
-- depends_on: {{ ref('int_experiments_per_compound') }}
-- Nothing is published before all that is to be published has passed its tests.
with

rejected_rows as (

    select * from {{ ref('int_rejected_rows') }}

),

final as (

    select
        file,
        row_number,
        column_name,

        reason,
        remedy,
        row_kept
    from rejected_rows

)

select * from final
