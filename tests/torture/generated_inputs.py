"""Compares generated inputs, some with random bytes in them, with the oracle in plain Python."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from random import Random

import cases
import oracle
from campaign import Campaign
from conftest import Project
from generated import Input, generate
from ground import BUILD, Ground, expect_order, expect_state, expected, published
from test_against_oracle import PROBLEMS, difference

GENERATED = "a generated input, well-formed or broken, against the oracle"
RANDOM_BYTES = "a generated input with random bytes in a file, against the oracle"
WHOLE_BUILDS = "the same through a whole `dbt build`"
BATCH = 250
RAW = ("users", "user_experiments", "compounds")


def with_random_bytes(choose: Random, one: Input) -> Input:
    """An input in which one file is random bytes, or has some bytes changed, removed or inserted."""
    name = choose.choice(["users", "experiments", "compounds"])
    content = bytearray(getattr(one, name))
    if choose.random() < 0.2:
        return replace(one, **{name: choose.randbytes(choose.randrange(300))})
    for _ in range(choose.randint(1, 5)):
        place = choose.randint(0, len(content))
        # Bytes that have a meaning for a CSV reader, or arbitrary ones.
        some = bytes([choose.choice(b'",;\t\r\n\\\x00\x02 \xc2\xa0\xef\xbb\xbf\xff019;' + choose.randbytes(4))])
        length = choose.choice([0, 0, 1, 1, 5])
        content[place : place + length] = choose.choice([b"", some, some])
    return replace(one, **{name: bytes(content)})


def compare(campaign: Campaign, ground: Ground, number: int) -> None:
    """A quarter of the inputs contain random bytes; dbt starts once for a few hundred inputs."""
    choose = campaign.random(RANDOM_BYTES)
    project = ground.project("generated")
    cases.prepare(project)
    collected = [
        (RANDOM_BYTES, with_random_bytes(choose, one)) if place % 4 == 3 else (GENERATED, one) for place, one in enumerate(generate(number, campaign.seed))
    ]
    for start in range(0, len(collected), BATCH):
        _compare_batch(campaign, project, collected[start : start + BATCH])
        campaign.say(f"{min(start + BATCH, len(collected))} of {len(collected)} generated inputs compared")


def _compare_batch(campaign: Campaign, project: Project, batch: list[tuple[str, Input]]) -> None:
    """If dbt stops at an input, bisects the batch to find it."""
    try:
        files = [{"users": one.users, "user_experiments": one.experiments, "compounds": one.compounds} for _, one in batch]
        outcomes = cases.run(project, files)
    except AssertionError as error:
        if len(batch) == 1:
            with campaign.attempt(batch[0][0], quiet=True):
                raise AssertionError(f"{batch[0][1]}:\n{error}") from error
        else:
            _compare_batch(campaign, project, batch[: len(batch) // 2])
            _compare_batch(campaign, project, batch[len(batch) // 2 :])
        return
    for (name, one), outcome in zip(batch, outcomes, strict=True):
        with campaign.attempt(name, quiet=True):
            different = difference(one, outcome)
            assert different is None, f"{one}:\n{different}"


def build_whole(campaign: Campaign, ground: Ground, number: int) -> None:
    """A file that cannot be loaded, or an input with too many rejected rows, changes nothing."""
    choose = campaign.random(WHOLE_BUILDS)
    project = ground.project("whole_builds")
    project.dbt(*BUILD, "--quiet")
    # One input in ten cannot be loaded.
    collected = generate(20 * max(number, 10), campaign.seed + 1)
    with_problem = [one for one in collected if problem_of(one)]
    others = [one for one in collected if not problem_of(one)]
    some = with_problem[: number // 3] + others[: number - number // 3 - number // 3]
    some += [with_random_bytes(choose, one) for one in others[-(number // 3) :]]
    assert len(some) == number, f"{len(with_problem)} generated inputs cannot be loaded, which is too few"
    for one in some:
        problem = problem_of(one)
        with campaign.attempt(WHOLE_BUILDS, f"{problem.file} {problem.problem}" if problem else "can be loaded"):
            _build_whole(project, one, problem)


def problem_of(one: Input) -> oracle.LoadError | None:
    """Which file cannot be loaded, and why."""
    try:
        oracle.compute(one.users, one.experiments, one.compounds)
    except oracle.LoadError as error:
        return error
    return None


def _build_whole(project: Project, one: Input, problem: oracle.LoadError | None) -> None:
    before, raw_before = published(project), _raw(project)
    project.write(users=one.users, user_experiments=one.experiments, compounds=one.compounds)
    output = project.dbt(*BUILD, succeeds=None)
    found = published(project)
    sentences = " ".join(output.split())
    if problem:
        assert "Nothing was published" in sentences and re.search(PROBLEMS[problem.problem], sentences), f"{problem} expected:\n{output}"
        assert f"{problem.file} ({project.seeds}{os.sep}{problem.file}): " in sentences, f"{problem} expected:\n{output}"
        assert found == before, "the published tables have changed"
        table = problem.file.removesuffix(".csv")
        assert _raw(project)[table] == raw_before[table], f"{table} has changed"
    elif "Failure in test rejected_rows_are_tolerable" in sentences:
        assert _may_be_a_mismatch(oracle.compute(one.users, one.experiments, one.compounds)), output
        assert found == before, "the published tables have changed"
    else:
        expect_state(found, expected(one.users, one.experiments, one.compounds), where="after a build")
        expect_order(project)


def _may_be_a_mismatch(result: oracle.Result) -> bool:
    """Whether a file has no rows or too many rejects. A list also counts as unusable if only some items are used, which the oracle does not report."""
    rows = {f"{name}.csv": sum(row[0] == f"{name}.csv" and not row[3] for row in result.rejected) for name in RAW}
    if any(not result.rows_read[file] or count > 10 or count > result.rows_read[file] / 2 for file, count in rows.items()):
        return True
    accepted = result.rows_read["user_experiments.csv"] - rows["user_experiments.csv"]
    for column, empty in (("experiment_run_time", "missing_run_time"), ("experiment_compound_ids", "no_compounds")):
        codes = [row[4] for row in result.rejected if row[2] == column and row[3]]
        if len(codes) - codes.count(empty) > (accepted - codes.count(empty)) / 2:
            return True
    return False


def _raw(project: Project) -> dict[str, list[tuple]]:
    return {name: project.query(f"select * from {{schema}}_raw.{name} order by row_number") for name in RAW}
