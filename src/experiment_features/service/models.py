"""The schemas of requests and responses, as OpenAPI shows them."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from pydantic import BaseModel, ConfigDict, Field, StrictBool, create_model

from experiment_features.service.contract import feature_columns

LARGEST_KEY = 2**63 - 1


class RunStatus(str, Enum):
    running = "running"
    succeeded = "succeeded"
    failed = "failed"
    cancelled = "cancelled"
    interrupted = "interrupted"


class RunOptions(BaseModel):
    """Options of a run; all are optional."""

    model_config = ConfigDict(extra="forbid")

    full_refresh: StrictBool = Field(False, description="Rebuild every table, as `dbt build --full-refresh` does.")


class FailedNode(BaseModel):
    node: str = Field(description="The node's id in dbt's graph, such as test.experiment_features.rejected_rows_are_tolerable.")
    status: str = Field(description="dbt's status, such as error or fail.")
    message: str | None = Field(description="dbt's message about it.")


class FileCounts(BaseModel):
    file: str
    rows_read: int | None
    rows_published: int | None
    rows_rejected: int | None


class Run(BaseModel):
    """A run, in progress or ended."""

    id: str
    command: str = Field(description="The command, such as dbt build.")
    started_by: str
    status: RunStatus
    started: datetime
    finished: datetime | None = Field(description="When it ended; null while it is running.")
    message: str | None = Field(description="Why the run failed, with the causes if its input was refused.")
    causes: list[str] = Field(description="Why rows and cells could not be used: a sentence for each of the most frequent causes.")
    nodes_done: int = Field(description="Number of seeds, models and tests that have ended, without skipped ones.")
    nodes_total: int | None = Field(description="Number of nodes in total; null until dbt has begun.")
    failed_nodes: list[FailedNode]
    rows_read: int | None = Field(description="Rows of all files; null if they were not counted.")
    rows_published: int | None = Field(description="Number of accepted rows behind the published tables; 0 if nothing was published.")
    rows_rejected: int | None
    files: list[FileCounts]


class RunPage(BaseModel):
    runs: list[Run]
    next: str | None = Field(description="The address of the next page; null on the last one.")


# A type checker cannot know fields that are read from a file.
Features = create_model(  # type: ignore[call-overload]
    "Features",
    __doc__="The features of one user, as dbt's documentation describes them.",
    **{column.name: (column.type | None if column.is_nullable else column.type, Field(description=column.description)) for column in feature_columns()},
)


class FeaturesPage(BaseModel):
    features: list[Features]  # type: ignore[valid-type]
    next: str | None = Field(description="The address of the next page; null on the last one.")


class RejectedRow(BaseModel):
    file: str
    row_number: int = Field(description="The line of the file on which the row begins, as an editor counts.")
    column_name: str = Field(description="Empty if the reason concerns the whole row.")
    reason: str
    remedy: str
    row_kept: bool = Field(description="Whether the row was used, with this cell empty or without the unusable ids of its list.")


class RejectedPage(BaseModel):
    rejected: list[RejectedRow]
    next: str | None = Field(description="The address of the next page; null on the last one.")


class ReasonCount(BaseModel):
    file: str
    reason: str = Field(description="The reason, with … instead of numbers.")
    row_kept: bool
    count: int


class Reasons(BaseModel):
    reasons: list[ReasonCount] = Field(description="The most frequent reasons, at most 50.")


class Health(BaseModel):
    database: bool = Field(description="Whether the database answers.")
    published: datetime | None = Field(description="When features were last published; null if never.")


class ProblemDocument(BaseModel):
    """A problem document (RFC 9457); some have further members, such as run or errors."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
