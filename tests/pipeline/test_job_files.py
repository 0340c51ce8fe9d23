"""Whatever lies in a job folder: pages can tell what runs, and the next command works or says what is in the way."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from helpers.hostile import DEEP, GARBAGE, ODD_VALUES

from lo2core.base.errors import Lo2Error
from lo2core.pipeline import job_files, jobs
from lo2core.pipeline.job_files import Job, Outcome, Progress
from lo2core.pipeline.lock import workspace_lock

STATES = ["job.json", "progress.json", "outcome.json", "cancelled.json"]
FILES = [*STATES, "output.log", "errors.log", "alive-0123456789ab", "lock"]


def put(path: Path, what: str) -> None:
    match what:
        case "folder":
            (path / "in it").mkdir(parents=True)
        case "pipe":
            os.mkfifo(path)
        case "device" | "lost" | "loop":
            path.symlink_to({"device": "/dev/zero", "lost": "nowhere", "loop": path.name}[what])
        case _:
            path.write_bytes({"garbage": GARBAGE, "brackets": DEEP.encode(), "empty": b""}[what])


@pytest.mark.parametrize("what", ["folder", "pipe", "device", "lost", "loop", "garbage", "brackets", "empty"])
@pytest.mark.parametrize("name", FILES)
def test_an_odd_file_is_no_job_and_in_nobodys_way(tmp_path: Path, name: str, what: str) -> None:
    folder = tmp_path / ".job"
    folder.mkdir()
    (folder / "job.json").write_text('{"detached": true, "alive": "alive-0123456789ab", "stage": "load"}')
    (folder / name).unlink(missing_ok=True)
    put(folder / name, what)
    assert not jobs.status(tmp_path).running
    if name == "lock" and what in ("folder", "device", "lost", "loop"):
        with pytest.raises(Lo2Error), workspace_lock(tmp_path):
            pass
        return
    with workspace_lock(tmp_path):
        assert jobs.status(tmp_path).running
    assert not jobs.status(tmp_path).running


@pytest.mark.parametrize("value", ODD_VALUES, ids=lambda value: type(value).__name__)
def test_entries_have_their_types_or_are_left_out(tmp_path: Path, value: object) -> None:
    for kind in (Job, Progress, Outcome):
        (tmp_path / "x").write_text(json.dumps(dict.fromkeys(kind.__annotations__, value)))
        found = job_files.read(tmp_path / "x", kind)
        assert all(isinstance(found.get(name, ""), str) for name in ("started", "label", "state", "message", "alive"))
    (tmp_path / ".job").mkdir()
    for name in STATES:
        names = {**Job.__annotations__, **Progress.__annotations__, **Outcome.__annotations__}
        (tmp_path / ".job" / name).write_text(json.dumps({**dict.fromkeys(names, value), "detached": True}))
    found = jobs.status(tmp_path)
    assert found.state in ("failed", "cancelled")  # the latter where both files name the same job
    assert found.fraction is None or 0 <= found.fraction <= 1
