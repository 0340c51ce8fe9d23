"""What is kept for a user on this machine: the folders used last, and dismissed hints."""

from __future__ import annotations

from pathlib import Path

import pytest

from lo2core.store import settings


@pytest.fixture(autouse=True)
def _own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def test_the_last_folders_are_kept_newest_first_and_once(tmp_path: Path) -> None:
    for name in [*(f"run{n}" for n in range(12)), "run5"]:
        settings.opened_workspace(name)
    settings.loaded_logs("logs.zip")
    kept = settings.read()
    assert kept["workspaces"][:2] == [str(tmp_path / "run5"), str(tmp_path / "run11")]
    assert len(kept["workspaces"]) == len(set(kept["workspaces"])) == settings.MOST_RECENT
    assert kept["logs"] == [str(tmp_path / "logs.zip")]


def test_a_hint_is_dismissed_for_good() -> None:
    assert not settings.is_dismissed("tour")
    settings.dismiss("tour")
    settings.loaded_logs("logs")
    assert settings.is_dismissed("tour")


@pytest.mark.parametrize("content", ["{", "[1]", '{"workspaces": "x", "dismissed": [1]}'])
def test_a_damaged_file_counts_as_empty(tmp_path: Path, content: str) -> None:
    settings.dismiss("tour")
    (path,) = tmp_path.rglob("settings.json")
    path.write_text(content)
    assert not settings.read().keys() & {"workspaces", "dismissed"}
    settings.opened_workspace("a")
    assert settings.read()["workspaces"] == [str(tmp_path / "a")]


def test_a_place_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file where a folder should be")
    settings.dismiss("tour")
    assert not settings.is_dismissed("tour")
