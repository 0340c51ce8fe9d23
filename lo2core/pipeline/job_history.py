"""The jobs before the last one: each has a folder in `<workspace>/.job/past/` with the files that it left.

A command that begins moves the files of the job before it there, whatever became of that job.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from lo2core.pipeline import job_files
from lo2core.pipeline.job_files import Job

PAST = "past"
KEPT = 20
"""Earlier jobs that are kept; the oldest are removed."""
FILES = ("job.json", "outcome.json", "cancelled.json", "output.log", "errors.log")
"""What is kept of a job. `job.json` is moved first: without it the folder describes no job."""
_UNFINISHED = ".unfinished"


def set_aside(folder: Path) -> None:
    """Move the files of the job in this job folder, which has ended, to `past`. A command in a terminal left none."""
    if not job_files.read(folder / FILES[0], Job).get("detached"):
        return
    place = folder / PAST / f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    moved = place.with_suffix(_UNFINISHED)
    with suppress(OSError):  # no command fails because an earlier one cannot be kept
        moved.mkdir(parents=True)
        for name in FILES:
            with suppress(FileNotFoundError):
                (folder / name).replace(moved / name)
        moved.rename(place)
    for old in [*(folder / PAST).glob(f"*{_UNFINISHED}"), *folders(folder)[KEPT:]]:
        shutil.rmtree(old, ignore_errors=True)


def folders(folder: Path) -> list[Path]:
    """The folders of earlier jobs, newest first."""
    try:
        found = [path for path in (folder / PAST).iterdir() if path.suffix != _UNFINISHED]
    except OSError:
        return []
    return sorted(found, reverse=True)
