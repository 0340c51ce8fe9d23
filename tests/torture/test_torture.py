"""A small part of `make torture`."""

from __future__ import annotations

from pathlib import Path

from torture.disk import fill
from torture.kills import kill
from torture.project import project


def test_kills_and_full_disks_lose_nothing(tmp_path: Path) -> None:
    with project(tmp_path, cores=1) as tried:
        assert kill(tried, ["train --replace"], 1, 1, seed=7).failures == []
        assert fill(tried, ["train --replace"], 2, seed=7).failures == []
