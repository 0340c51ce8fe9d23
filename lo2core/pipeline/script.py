"""A command as a Python script that does the same with the public API, for whoever wants to go on from there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

from lo2core.pipeline import commands
from lo2core.pipeline.commands import Command

_HEAD = '''"""{title}

Run this with the environment of lo2core, in the folder from which the dashboard was started.
"""

import polars as pl

from lo2core import {names}

pl.Config.set_fmt_str_lengths(120).set_tbl_rows(20)

'''


def script(command: Command) -> str | None:
    """The text of a script that does what a command does; None for commands that have no counterpart in the API."""
    write = _WRITERS.get(type(command))
    if write is None:
        return None
    names, body = write(command)
    title = (type(command).__doc__ or "").splitlines()[0]
    return _HEAD.format(title=title, names=", ".join(sorted(names, key=str.casefold))) + body


def _load(command: commands.Load) -> tuple[set[str], str]:
    roots = ", ".join(_text(root) for root in command.root)
    given = _keywords(service=command.service, append=command.append, replace=command.replace)
    body = f"""workspace = Workspace({_text(command.output_dir)})
loaded = load_logs(workspace, [{roots}], {_written(command.options)}{given})
print(loaded.sentence())
"""
    return {"Workspace", "LoadOptions", "load_logs"}, body


def _train(command: commands.Train) -> tuple[set[str], str]:
    given = _keywords(replace=command.replace)
    body = f"""workspace = Workspace({_text(command.output_dir)})
bundle = train_bundle(workspace, {_written(command.recipe)}, {_text(command.bundle)}{given})
print(open_bundle(bundle).model.threshold)
"""
    return {"Workspace", "Recipe", "open_bundle", "train_bundle"}, body


def _predict(command: commands.Predict) -> tuple[set[str], str]:
    given = _keywords(budget=command.budget, replace=command.replace)
    body = f"""workspace = Workspace({_text(command.output_dir)})
path = predict_logs(workspace, {_text(command.bundle)}, {_text(command.predictions)}{given})
scores = read_predictions(workspace, path.stem)
flagged = scores.filter("pred_ano").sort("z_score", descending=True)
print(flagged.select("run", "folder", "service", "z_score"))
"""
    return {"Workspace", "predict_logs", "read_predictions"}, body


def _explain(command: commands.Explain) -> tuple[set[str], str]:
    given = _keywords(bundle=command.bundle)
    incident = f", {_text(command.incident)}" if command.incident else ""
    body = f"""workspace = Workspace({_text(command.output_dir)})
explanation = explain_incident(workspace, {_text(command.predictions)}{incident}{given})
print(explanation.services.select("service", "z_score", "words"))
print(explanation.items.select("service", "here", "normals", "title"))
print(explanation.lines.select("source", "line_no", "level", "text"))
"""
    return {"Workspace", "explain_incident"}, body


def _compare(command: commands.Compare) -> tuple[set[str], str]:
    body = f"""workspace = Workspace({_text(command.output_dir)})
comparison = compare_predictions(workspace, {list(command.names)!r})
print(comparison.verdict)
print(comparison.rates)
print(comparison.flips if comparison.same_sequences else comparison.incident_changes)
"""
    return {"Workspace", "compare_predictions"}, body


def _search(command: commands.Search) -> tuple[set[str], str]:
    sample = f".sample({command.sample!r})" if command.sample else ""
    body = f"""workspace = Workspace({_text(command.output_dir)}){sample}
wanted = {_written(command.wanted)}
found = find_lines(workspace, wanted, limit={command.limit})
print(found.select("source", "line_no", "m_timestamp", "level", "m_message"))
"""
    return {"LineFilter", "Workspace", "find_lines"}, body


_WRITERS: dict[type[Command], Callable[[Any], tuple[set[str], str]]] = {
    commands.Load: _load,
    commands.Train: _train,
    commands.Predict: _predict,
    commands.Explain: _explain,
    commands.Compare: _compare,
    commands.Search: _search,
}


def _text(value: Path | str | None) -> str:
    return repr(None if value is None else str(value))


def _keywords(**given: Any) -> str:
    """Further arguments of a call, without those that are None or false."""
    return "".join(
        f", {name}={_text(value) if isinstance(value, Path) else repr(value)}"
        for name, value in given.items()
        if value not in (None, False)
    )


def _written(options: Any) -> str:
    """A dataclass of options as the call that makes it, without defaults."""
    values = ((one.name, getattr(options, one.name)) for one in fields(options) if not _is_default(one, options))
    return f"{type(options).__name__}({', '.join(f'{name}={value!r}' for name, value in values)})"


def _is_default(field: Field[Any], options: Any) -> bool:
    default = field.default_factory() if field.default_factory is not MISSING else field.default
    return bool(getattr(options, field.name) == default)
