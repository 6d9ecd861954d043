"""Filters for rules of dbt-score that do not apply everywhere; pyproject.toml names the rules.

dbt-score reads the annotations of a filter, so they may not be strings.
"""

from dbt_score import Macro, Model, rule_filter

# The macro that dispatches to them has the description.
ONE_ENGINE = ("default__", "postgres__", "duckdb__", "spark__")


@rule_filter
def dispatches(macro: Macro) -> bool:
    """Macros that are called by name, not the ones they dispatch to."""
    return not macro.name.startswith(ONE_ENGINE)


@rule_filter
def is_published(model: Model) -> bool:
    """Models for readers: the role features_reader may not even read the others."""
    return model.original_file_path.startswith("models/marts/")


@rule_filter
def is_not_the_list_of_reasons(model: Model) -> bool:
    """All models except the one that lists the sentence for every reason."""
    return model.name != "int_rejected_rows"
