"""Full disks: from the n-th operation on files on, a command can write nothing more to any file.

The system itself refuses the writes (RLIMIT_FSIZE), so the errors are real, whichever library writes.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

from helpers.kills import Ended
from torture.figures import Figures, reported
from torture.project import STAGES, Project, content, leftovers, project, unlike


def torture(amount: int, seed: int, every: bool = False) -> Figures:
    """Fill the disk at an operation on files of each kind of all stages, at most `amount`; or at `every` operation."""
    with tempfile.TemporaryDirectory(prefix="torture-") as folder, project(Path(folder)) as tried:
        return fill(tried, list(STAGES), amount, seed, every)


def fill(tried: Project, stages: Sequence[str], amount: int, seed: int, every: bool = False) -> Figures:
    """`torture` of some stages."""
    figures, draw = Figures(), random.Random(seed)
    found = tried.operations(stages)
    chosen = found.chosen(amount, draw, every)
    figures.count(f"disks full at one of {len(found.all):,} operations on files", len(chosen))
    results = reported("full disks", tried.each(lambda case: _case(tried, *case), chosen), len(chosen))
    for (stage, at), problems in zip(chosen, results, strict=True):
        for problem in filter(None, problems):
            figures.fail(f"{stage}, full from operation {at} on: {problem}")
    return figures


def _case(tried: Project, stage: str, at: int) -> list[str]:
    """What went wrong, as sentences; empty ones where all is well."""
    command = STAGES[stage]
    with tried.copy() as folder:
        before = content(folder)
        ended = tried.run(folder, command, full_at=at)
        if ended.status == 0:  # what was written from then on is not needed, such as the state of the lock
            different = unlike(tried.undisturbed(command).content, content(folder))
            return [different and f"it succeeded, but {different} is not as it should be"]
        changed = unlike(before, {name: value for name, value in content(folder).items() if name in before})
        problems = [_of_end(ended), changed and f"{changed} has changed"]
        again = tried.run(folder, command)
        if again.status:
            problems.append(f"repeated, it failed with status {again.status}: {again.output[-600:]}")
        different = unlike(tried.undisturbed(command).content, content(folder))
        problems.append(different and f"after repeating it, {different} is not as it should be")
        return [*problems, *(f"{left} is left" for left in leftovers(folder))]


def _of_end(ended: Ended) -> str:
    """What is wrong with the words of a command that found the disk full."""
    sentences = [line for line in ended.output.splitlines() if line.startswith("lo2core: ")]
    known = ("was not written: it is larger than", "Nothing more can be written")
    if ended.status == 2 and len(sentences) == 1 and any(words in sentences[0] for words in known):
        return "" if "Traceback" not in ended.output else "a traceback"
    return f"status {ended.status}, {ended.output[-600:]}"
