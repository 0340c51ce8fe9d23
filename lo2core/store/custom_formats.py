"""`formats.toml` of a workspace: log formats that a person has described, each a table with its pattern."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from lo2core.base.errors import ArtefactError
from lo2core.base.untrusted import read_small
from lo2core.store.atomic import write_bytes_atomic

FILE = "formats.toml"


def read_formats(root: Path) -> dict[str, str]:
    """The patterns by name, empty without a file. Raises ArtefactError for a file that does not describe formats."""
    path = root / FILE
    if not path.exists():
        return {}
    try:
        found = tomllib.loads(read_small(path).decode())
        return {name: _pattern(name, entry) for name, entry in found.items()}
    except (OSError, ValueError, RecursionError) as error:
        raise ArtefactError(
            f"{path} cannot be read ({error}). Each format is a table such as [payment] with a line such as pattern = "
            "'^{stamp} {level} {message}': correct the file, or remove it."
        ) from error


def write_formats(root: Path, formats: Mapping[str, str]) -> Path:
    """Write the patterns, replacing the file."""
    texts = [f"[{_quoted(name)}]\npattern = {_quoted(pattern)}\n" for name, pattern in sorted(formats.items())]
    write_bytes_atomic(root / FILE, "\n".join(texts).encode(), replace=True)
    return root / FILE


def _pattern(name: str, entry: object) -> str:
    """The pattern of a format. Raises ValueError for an entry of another form."""
    if not isinstance(entry, dict):
        raise ValueError(f"{name} is in no table")
    if set(entry) == {"pattern"} and isinstance(pattern := entry["pattern"], str):
        return pattern
    if not isinstance(entry.get("pattern", ""), str):
        raise ValueError(f"the pattern of [{name}] is not text in quotes")
    further = ", ".join(sorted({*entry} - {"pattern"}))
    if "pattern" in entry:
        raise ValueError(f"[{name}] has more than a pattern: {further}")
    raise ValueError(f"[{name}] has no pattern, {f'only {further}' if further else 'it is empty'}")


def _quoted(text: str) -> str:
    """A basic string of TOML, whose escapes are those of JSON."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
