"""Seeded hostile inputs: each is used or refused with one sentence, in time, and changes no other file.

A kind is a function that puts one input into a `Place` and yields what a person would do with it. A failure is any
other exception than `Lo2Error`, a crash, a hang, or a change of files that were not asked for.

One input again: PYTHONPATH=tests python -m torture.inputs "folder trees" 17 18 7 gives the input 17 of seed 7.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random

from torture import asked, loaded, stored
from torture.figures import Figures, report
from torture.place import Actions, Place, make_template

from lo2core.base.errors import Lo2Error

ROOT = Path(__file__).parents[2]
PATIENCE_S = 600
"""An input that takes longer hangs: the slowest takes seconds, on a busy machine a minute."""
KINDS: dict[str, Callable[[Random, Place], Actions]] = {
    "logs": loaded.logs,  # the two slowest kinds come first, so that no core waits for the other at the end
    "addresses of pages": asked.pages,
    "predictions": stored.predictions,
    "footers": stored.footers,
    "tables written by hand": stored.written_by_hand,
    "tables of logs": stored.logs_tables,
    "manifests": stored.manifests,
    "models": stored.models,
    "job files": stored.job_files,
    "folder trees": loaded.trees,
    "archives": loaded.archives,
    "frames of the API": asked.frames,
}


def torture(amount: int, seed: int) -> Figures:
    """`amount` inputs, spread evenly over all kinds; each kind runs in processes of its own."""
    figures, cores = Figures(), os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="lo2-torture-") as folder, ThreadPoolExecutor(cores) as pool:
        template = make_template(Path(folder) / "template")
        one_kind = partial(_in_processes, amount=-(-amount // len(KINDS)), seed=seed, template=template)
        for found in pool.map(one_kind, KINDS):
            _add(found, figures)
    return figures


def _in_processes(kind: str, amount: int, seed: int, template: Path) -> Figures:
    """`attacked` in another process; where an input ends that by a crash or a hang, one more begins behind it."""
    figures, done, environment = Figures(), 0, os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    while done < amount:
        command = [sys.executable, "-m", "torture.inputs", kind, *map(str, (done, amount, seed, template))]
        ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        for line in ended.stdout.splitlines():
            _add(Figures(**json.loads(line)), figures)
            done += 1
        if done < amount:
            figures.fail(f"{kind} {done} ended its process ({ended.returncode}): {ended.stderr[-1500:]}")
            done += 1
    report(f"inputs: {kind}, {len(figures.failures)} failures")
    return figures


def _add(one: Figures, figures: Figures) -> None:
    for what, amount in one.counts.items():
        figures.count(what, int(amount))
    figures.failures.extend(one.failures)


def attacked(kind: str, numbers: Iterable[int], seed: int, template: Path) -> Iterator[Figures]:
    """The figures of each input of a kind, by its number: the same number and seed make the same input."""
    with tempfile.TemporaryDirectory(prefix="lo2-torture-") as folder:
        place = Place.copy_of(template, Path(folder) / "place")
        for number in numbers:
            faulthandler.dump_traceback_later(PATIENCE_S, exit=True)
            yield _one(kind, number, Random(f"{kind} {number} {seed}"), place)
            faulthandler.cancel_dump_traceback_later()


def _one(kind: str, number: int, rng: Random, place: Place) -> Figures:
    figures, before = Figures({f"inputs: {kind}": 1}), place.contents()
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        for action in KINDS[kind](rng, place):
            outcome = _outcome(action)
            if outcome in ("used", "refused"):
                figures.count(f"times {outcome}")
            else:
                figures.fail(f"{kind} {number}: {outcome}")
    if changed := place.restored(before):
        figures.fail(f"{kind} {number}: changed {', '.join(changed)}")
    return figures


def _outcome(action: Callable[[], object]) -> str:
    try:
        action()
    except Lo2Error as error:
        return "refused" if str(error).strip() else f"no sentence: {error!r}"
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        frames = [one for one in traceback.extract_tb(error.__traceback__) if "/lo2core/" in one.filename]
        at = "".join(f" at {Path(one.filename).name}:{one.lineno} in {one.name}" for one in frames[-1:])
        return f"{type(error).__name__}: {str(error)[:500]}{at}"
    return "used"


def main(kind: str, first: str, end: str, seed: str, template: str | None = None) -> None:
    with tempfile.TemporaryDirectory(prefix="lo2-torture-") as folder:
        used = Path(template) if template else make_template(Path(folder) / "template")
        for figures in attacked(kind, range(int(first), int(end)), int(seed), used):
            print(json.dumps(vars(figures)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
