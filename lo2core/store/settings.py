"""What the dashboard keeps for a user on this machine: folders that were opened, and hints that were dismissed.

It is in `settings.json` in the user's configuration folder. Nothing depends on it: a file that cannot be read counts as
empty, and one that cannot be written stays as it is.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TypedDict

import platformdirs

from lo2core.base.errors import ArtefactError
from lo2core.base.provenance import typed
from lo2core.base.untrusted import json_value, read_small
from lo2core.store.atomic import write_json_atomic

MOST_RECENT = 10


class Settings(TypedDict, total=False):
    """`settings.json`: the newest path comes first."""

    workspaces: list[str]
    logs: list[str]
    dismissed: list[str]


def read() -> Settings:
    """What is kept; only entries of the right types."""
    try:
        return typed(Settings, json_value(read_small(_path())))
    except (OSError, ValueError):
        return Settings()


def opened_workspace(path: str) -> None:
    """Keep the path of a workspace as the last one that was opened."""
    _write({**read(), "workspaces": _newest_first(path, read().get("workspaces", []))})


def loaded_logs(path: str) -> None:
    """Keep the path of a folder or file as the last one from which logs were loaded."""
    _write({**read(), "logs": _newest_first(path, read().get("logs", []))})


def dismiss(hint: str) -> None:
    """Never show a hint again."""
    _write({**read(), "dismissed": [*read().get("dismissed", []), hint]})


def is_dismissed(hint: str) -> bool:
    """Whether a hint was dismissed."""
    return hint in read().get("dismissed", [])


def _newest_first(path: str, kept: list[str]) -> list[str]:
    absolute = str(Path(path).expanduser().absolute())
    return [absolute, *(one for one in kept if one != absolute)][:MOST_RECENT]


def _write(settings: Settings) -> None:
    with suppress(ArtefactError, OSError):
        write_json_atomic(_path(), settings, replace=True)


def _path() -> Path:
    return platformdirs.user_config_path("lo2core") / "settings.json"
