"""Where rules of dbt-score do not apply; pyproject.toml names the rules.

dbt-score reads the annotations of a filter, so they may not be strings.
"""

from dbt_score import Macro, Model, rule_filter

# What a macro does on one engine is described with the macro that dispatches to it, where dbt's site shows it, too.
ONE_ENGINE = ("default__", "postgres__", "duckdb__", "spark__")


@rule_filter
def dispatches(macro: Macro) -> bool:
    """Macros that are called by their name, not those they dispatch to."""
    return not macro.name.startswith(ONE_ENGINE)


@rule_filter
def is_published(model: Model) -> bool:
    """Models for readers: the role features_reader may not even read the others."""
    return model.original_file_path.startswith("models/marts/")


@rule_filter
def is_not_the_list_of_reasons(model: Model) -> bool:
    """All models but the one that holds every reason of a reject, with its words."""
    return model.name != "int_rejected_rows"
