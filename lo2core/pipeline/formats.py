"""The log formats of a workspace: those that a person described, and those that its logs were read by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lo2core.base.errors import InputError
from lo2core.base.provenance import BundleFacts
from lo2core.base.schemas import Sequences
from lo2core.load.formats.custom import check_name, chosen, parsed_format
from lo2core.load.plan import LoadOptions
from lo2core.store import bundles
from lo2core.store.custom_formats import FILE, read_formats, write_formats
from lo2core.store.workspace import Workspace


def custom_formats(workspace: Workspace) -> dict[str, str]:
    """The patterns of `formats.toml`, by name; a sample also has those of its workspace. Raises ArtefactError."""
    owner = workspace.owner
    return (custom_formats(owner) if owner else {}) | read_formats(workspace.root)


def save_format(workspace: Workspace, name: str, pattern: str) -> Path:
    """Add a format to `formats.toml`, or change it. Raises InputError for a name or pattern that cannot be used."""
    parsed_format(f"{check_name(name)}={_anchored(pattern)}", 0)
    return write_formats(workspace.root, read_formats(workspace.root) | {name: _anchored(pattern)})


def with_formats(workspace: Workspace, options: LoadOptions, like: Path | None = None) -> LoadOptions:
    """The options with the formats that the workspace knows, and those of a model that the logs are to be read like.

    A sample is read like its workspace, unless its options name formats. Raises InputError for a name that is unknown.
    """
    for owner in filter(None, (workspace.owner, workspace)):
        _check(owner.root)
    known = _described(_reading(workspace.owner), custom_formats(workspace))
    formats = options.formats
    if like is not None:
        read_like = reading_of_bundle(like)
        known |= dict(_split(text) for text in read_like["described"])
        formats = formats or tuple(read_like["formats"])
    elif workspace.owner:
        formats = formats or tuple(_reading(workspace.owner)["formats"])
    options = replace(options, formats=formats, described=tuple(f"{name}={known[name]}" for name in sorted(known)))
    chosen(options.formats, options.described)
    return options


def _check(root: Path) -> None:
    """Raises InputError for a format of `formats.toml` that cannot be used."""
    for name, pattern in read_formats(root).items():
        try:
            parsed_format(f"{check_name(name)}={_anchored(pattern)}", 0)
        except InputError as error:
            raise InputError(f"{error} It is in {root / FILE}.") from error


def reading_facts(workspace: Workspace) -> dict[str, list[str]]:
    """How the loaded logs were read, as a model records it: formats and described (see `LoadOptions`)."""
    return _reading(workspace)


def reading_of_bundle(path: Path) -> dict[str, list[str]]:
    """How the training logs of a model were read. Raises InputError for a file without a manifest."""
    facts: BundleFacts = bundles.facts_of(path)
    if not facts:
        raise InputError(f"{path} is not a saved model with a manifest, so how its logs were read is unknown.")
    return _as_lists(facts.get("reading") or {})


def _reading(workspace: Workspace | None) -> dict[str, list[str]]:
    return _as_lists(workspace.metadata(Sequences).get("options", {}) if workspace and workspace.has(Sequences) else {})


def _as_lists(options: Mapping[str, Any]) -> dict[str, list[str]]:
    return {name: [str(text) for text in options.get(name) or []] for name in ("formats", "described")}


def _described(reading: Mapping[str, list[str]], own: Mapping[str, str]) -> dict[str, str]:
    return dict(_split(text) for text in reading["described"]) | {name: _anchored(text) for name, text in own.items()}


def _split(text: str) -> tuple[str, str]:
    name, _, pattern = text.partition("=")
    return name, pattern


def _anchored(pattern: str) -> str:
    return pattern if pattern.startswith("^") else f"^{pattern}"
