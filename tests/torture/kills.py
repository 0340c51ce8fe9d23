"""Kills: a command is killed at a random moment, or before an operation on files.

Afterwards a different command runs, then the same one again. Both must work, and what they make must be equal to what
commands make that nobody kills.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from helpers.kills import Ended
from torture.figures import Figures, reported
from torture.project import AFTERWARDS, SCORES, STAGES, Content, Project, content, leftovers, project, unlike

THERE = ("already exists", "is loaded already", "needs a new or empty folder")
"""With these words a command is refused because everything that it makes is there already."""


def torture(amount: int, seed: int, every: bool = False) -> Figures:
    """Kill commands of all stages at `amount` random moments, then before an operation of each kind, or `every` one.

    If there are more than seven times as many kinds of operations as `amount`, some are drawn at random.
    """
    with tempfile.TemporaryDirectory(prefix="torture-") as folder, project(Path(folder)) as tried:
        return kill(tried, list(STAGES), amount, 7 * amount, seed, every)


def kill(
    tried: Project, stages: Sequence[str], moments: int, operations: int, seed: int, every: bool = False
) -> Figures:
    """`torture` of some stages, at so many moments and operations."""
    figures, draw = Figures(), random.Random(seed)
    found = tried.operations(stages)
    faults: list[tuple[str, dict[str, float]]] = [
        (stage, {"after": draw.uniform(0.01, found.seconds[stage])}) for stage in draw.choices(stages, k=moments)
    ]
    figures.count("kills at a random moment", moments)
    drawn = found.chosen(operations, draw, every)
    faults += [(stage, {"kill_at": at}) for stage, at in drawn]
    figures.count(f"kills before one of {len(found.all):,} operations on files", len(drawn))
    results = reported("kills", tried.each(lambda case: _case(tried, *case), faults), len(faults))
    for (stage, fault), problems in zip(faults, results, strict=True):
        for problem in filter(None, problems):
            figures.fail(f"{stage}, {fault}: {problem}")
    return figures


def _case(tried: Project, stage: str, fault: Mapping[str, float]) -> list[str]:
    """What went wrong, as sentences; empty ones where all is well."""
    command = STAGES[stage]
    with tried.copy() as folder:
        killed = tried.run(folder, command, **fault)
        problems = [] if killed.killed else [_failed("the command, which was not killed,", killed)]
        problems.append(_of_other(tried, folder, command))
        again = tried.run(folder, command)
        wanted = tried.undisturbed(command).content
        different = unlike(wanted, {name: value for name, value in content(folder).items() if name != SCORES})
        problems.append(different and f"after repeating it, {different} is not as it should be")
        if again.status and (different or not _is_there(again)):
            problems.append(_failed("the same command", again))
        return [*problems, *(f"{left} is left" for left in leftovers(folder))]


def _of_other(tried: Project, folder: Path, command: str) -> str:
    """What a different command did wrong: it must find all of the old state, or all of the new one."""
    other = tried.run(folder, AFTERWARDS)
    old, new = tried.undisturbed(AFTERWARDS), tried.undisturbed(command, AFTERWARDS)
    if "Traceback" in other.output or other.status not in (old.status, new.status):
        return _failed("a different command", other)
    scores: Content = {SCORES: content(folder).get(SCORES)}
    known = [state.content.get(SCORES) for state in (old, new)]
    return "" if scores[SCORES] in known else "the scores of a different command are neither old nor new ones"


def _is_there(ended: Ended) -> bool:
    return ended.status == 2 and any(words in ended.output for words in THERE)


def _failed(what: str, ended: Ended) -> str:
    return f"{what} failed with status {ended.status}: {ended.output[-600:]}" if ended.status else ""
