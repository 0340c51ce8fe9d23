"""Full disks: from the n-th operation on files on, a command can write nothing more to any file.

The system itself refuses the writes (RLIMIT_FSIZE), so the errors are real, whichever library writes.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from helpers.kills import Ended
from torture.figures import Figures
from torture.project import AFTERWARDS, STAGES, Project, content, leftovers, project


def torture(amount: int, seed: int) -> Figures:
    """Fill the disk at each operation of each stage, or at `amount` of them that are drawn at random."""
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="torture-") as folder, project(Path(folder)) as tried:
        cases = [(stage, at) for stage in STAGES for at in range(1, _operations(tried, stage) + 1)]
        if len(cases) > amount:
            cases = random.Random(seed).sample(cases, amount)
        for stage, at in cases:
            found = _case(tried, stage, at, figures)
            figures.count("full disks")
            for what in found:
                figures.fail(f"{stage}, full from operation {at} on: {what}")
    return figures


def _operations(tried: Project, stage: str) -> int:
    with tried.copy() as folder:
        ended = tried.run(folder, STAGES[stage])
        assert ended.status == 0, ended.output
        return ended.operations


def _case(tried: Project, stage: str, at: int, figures: Figures) -> list[str]:
    """What went wrong, as sentences: none if all is well."""
    command = STAGES[stage]
    with tried.copy() as folder:
        before = content(folder)
        ended = tried.run(folder, command, full_at=at)
        after = tried.after(command)
        problems = _of_end(ended)
        if ended.status == 0:
            figures.count("of them harmless, since what was written then is not needed")
            return problems + _differences(after, content(folder), "it succeeded, but")
        problems += _differences(before, {name: value for name, value in content(folder).items() if name in before}, "")
        other = tried.run(folder, AFTERWARDS)
        if other.status:
            problems.append(f"another command then failed: {other.output[-300:]}")
        again = tried.run(folder, command)
        if again.status:
            problems.append(f"the same command then failed: {again.output[-300:]}")
        problems += _differences(tried.after(AFTERWARDS, command), content(folder), "after repeating it,")
        return problems + [f"{left} is left" for left in leftovers(folder)]


def _of_end(ended: Ended) -> list[str]:
    sentences = [line for line in ended.output.splitlines() if line.startswith("lo2core: ")]
    if ended.status == 0 and not sentences:
        return []
    known = "was not written: it is larger than" in ended.output or "Nothing more can be written" in ended.output
    if ended.status == 2 and len(sentences) == 1 and known and "Traceback" not in ended.output:
        return []
    return [f"status {ended.status}, {ended.output[-600:]}"]


def _differences(wanted: dict[str, object], found: dict[str, object], when: str) -> list[str]:
    different = [name for name in sorted(wanted.keys() | found.keys()) if wanted.get(name) != found.get(name)]
    return [f"{when} {', '.join(different)} is not as it should be"] if different else []
