"""Compares two tables of features, user by user."""

from __future__ import annotations

import psycopg2

# Means differ in their last digits, depending on the order of additions; sums have two decimals in the files.
SAME_MEAN = "abs(expected.{column} - found.{column}) <= 1e-9 * abs(expected.{column})"
SAME_SUM = "round(cast(expected.{column} as numeric), 2) = round(cast(found.{column} as numeric), 2)"
SAME = "expected.{column} = found.{column}"

COLUMNS = {
    "rows": SAME,
    "total_experiments": SAME,
    "avg_experiment_run_time": SAME_MEAN,
    "total_experiment_run_time": SAME_SUM,
    "distinct_compounds": SAME,
    "most_common_compound_id": SAME,
    "most_common_compound_name": SAME,
    "most_common_compound_ids": SAME,
    "most_common_compound_experiments": SAME,
}

FIRST_DIFFERENCE = """
with

expected as (
    select *, count(*) over (partition by user_id) as rows from {expected}
),

found as (
    select *, count(*) over (partition by user_id) as rows from {found}
)

select coalesce(expected.user_id, found.user_id), compared.name, compared.expected, compared.found
from expected
full join found on expected.user_id = found.user_id
cross join lateral (values {values}) as compared (place, name, expected, found, is_same)
where not is_same
order by 1, compared.place
limit 1
"""

VALUE = """(
    {place}, '{column}', cast(expected.{column} as text), cast(found.{column} as text),
    coalesce({same}, expected.{column} is null and found.{column} is null)
)"""


def first_difference(connection: psycopg2.extensions.connection, expected: str, found: str) -> str | None:
    """The first user on whom `found` differs from `expected`, and how; None if there is none.

    For example "user 7 has total_experiments 3 instead of 4"; "rows" is the number of rows of a user. Both arguments are names
    of tables with user_id and the other columns of COLUMNS.
    """
    values = ", ".join(VALUE.format(place=place, column=column, same=same.format(column=column)) for place, (column, same) in enumerate(COLUMNS.items()))
    with connection.cursor() as cursor:
        cursor.execute(FIRST_DIFFERENCE.format(expected=expected, found=found, values=values))
        difference = cursor.fetchone()
    if difference is None:
        return None
    user, column, value, other = ("null" if part is None else part for part in difference)
    return f"user {user} has {column} {other} instead of {value}"
