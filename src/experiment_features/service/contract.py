"""The features as described by their contract: the YAML beside the model `user_features`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MODELS = Path(__file__).resolve().parents[3] / "models"
# Contract types, and the types of their values in JSON.
TYPES: dict[str, type] = {
    "bigint": int, "integer": int, "double precision": float, "pg_catalog.numeric": float, "boolean": bool,
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column of a contract.

    Args:
        name: its name.
        type: the type of its values in JSON; text for dates and the like.
        is_nullable: whether a value may be missing.
        description: its description in dbt's documentation.
    """

    name: str
    type: type
    is_nullable: bool
    description: str

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.type in (int, float)

    @property
    def label(self) -> str:
        """The heading of the column for people, such as "Total experiments"."""
        return self.name.replace("_", " ").capitalize()


def feature_columns() -> list[Column]:
    """The columns of `user_features`, in order."""
    [model] = yaml.safe_load((MODELS / "marts" / "user_features.yml").read_text())["models"]
    shared = (MODELS / "docs" / "columns.md").read_text()
    blocks = dict(re.findall(r"{% docs (\w+) %}(.*?){% enddocs %}", shared, re.DOTALL))
    return [
        Column(
            name=column["name"],
            type=TYPES.get(column["data_type"], str),
            is_nullable=not any(one["type"] == "not_null" for one in column.get("constraints", [])),
            description=_description(column, blocks),
        )
        for column in model["columns"]
    ]


def _description(column: dict[str, Any], blocks: dict[str, str]) -> str:
    text = column.get("description", "")
    return re.sub(r"{{ doc\('(\w+)'\) }}", lambda found: blocks[found.group(1)], text).strip()
