"""Names of artefacts: the file of each table, the names that a user may give, the command that makes a table."""

from __future__ import annotations

import re
from pathlib import Path

from lo2core.base.errors import InputError
from lo2core.base.schemas import (
    ComparedAgreement,
    ComparedFlips,
    ComparedGroups,
    ComparedIncidents,
    ComparedItems,
    ComparedMetrics,
    ComparedMovers,
    ComparedPairs,
    ComparedProvenance,
    ComparedRates,
    ComparedRecall,
    ComparedShifts,
    ComparedTestCases,
    Counts,
    DiffStretches,
    EnrichedEvents,
    Evaluation,
    EvaluationCurves,
    EvaluationFaults,
    EventPredictions,
    Events,
    ExplainedItems,
    ExplainedLines,
    ExplainedRequests,
    ExplainedServices,
    FalsePositives,
    Feedback,
    Files,
    FirstEvents,
    GroupedIncidents,
    Groups,
    Ledger,
    Messages,
    NearestNormals,
    Predictions,
    Sequences,
    SharedItems,
    Triage,
)
from lo2core.base.table import Table

TABLES: dict[type[Table], str] = {
    Events: "lo2_events",
    Sequences: "lo2_sequences",
    Ledger: "lo2_ledger",
    Files: "lo2_files",
    Messages: "lo2_messages",
    Counts: "lo2_counts",
    EnrichedEvents: "lo2_events_enriched",
    Evaluation: "lo2_evaluation",
    EvaluationCurves: "lo2_evaluation_curves",
    EvaluationFaults: "lo2_evaluation_faults",
    Feedback: "lo2_feedback",
    Triage: "lo2_triage",
}
"""The file stem of each table with a fixed name; the caller names predictions and explanations."""

EXPLAINED: dict[str, type[Table]] = {
    "items": ExplainedItems,
    "lines": ExplainedLines,
    "nearest_normals": NearestNormals,
    "requests": ExplainedRequests,
    "diff": DiffStretches,
    "services": ExplainedServices,
    "first_odd": FirstEvents,
    "false_positives": FalsePositives,
    "false_positives_share": SharedItems,
    "groups": Groups,
    "grouped_incidents": GroupedIncidents,
}
"""The tables of explanations by file stem."""

COMPARED: dict[str, type[Table]] = {
    "provenance": ComparedProvenance,
    "rates": ComparedRates,
    "by_test_case": ComparedTestCases,
    "incident_changes": ComparedIncidents,
    "item_changes": ComparedItems,
    "shifts": ComparedShifts,
    "fault_recall": ComparedRecall,
    "pairs": ComparedPairs,
    "flips": ComparedFlips,
    "movers": ComparedMovers,
    "metrics": ComparedMetrics,
    "agreement": ComparedAgreement,
    "causes": ComparedGroups,
}
"""The tables of a comparison by file stem."""

RESULTS = EXPLAINED | COMPARED
"""All tables that `Workspace.keep` saves."""

_PREDICT = "predict --output-dir {root} --bundle models/NAME.joblib --predictions {name}"
_COMMANDS: dict[type[Table], str] = {
    EnrichedEvents: "enhance --output-dir {root}",
    Predictions: _PREDICT,
    EventPredictions: _PREDICT,
}
_LOAD = "load --root PATH --output-dir {root}"
_BY_PEOPLE = (Feedback, Triage)
"""Tables that no command makes: people add their rows."""


def is_clean(name: str, longest: int = 100) -> bool:
    """Whether `clean_name` accepts it."""
    return bool(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", name)) and len(name) <= longest


def clean_name(name: str, longest: int = 100) -> str:
    """`name`, if it is valid for a file or folder: letters, digits, `.`, `-`, `_`, no leading dot."""
    if not is_clean(name, longest):
        raise InputError(f"{name!r} is not a valid name: use up to {longest} letters, digits, '.', '-' or '_'.")
    return name


def cleaned(name: str) -> str:
    """A clean name that is like `name`: other characters become `_`; "unnamed" if nothing is left."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".-")[-90:].lstrip(".-") or "unnamed"


def given_name(name: str) -> str:
    """As `clean_name`, for a table that a user names: the names of other tables are not allowed.

    It may be longer, since the name of a prediction is the name of its bundle and a suffix.
    """
    if name in TABLES.values():
        raise InputError(f"{name} is the name of another table of the workspace: choose a different one.")
    return clean_name(name, longest=125)


def base_name(name: str) -> str:
    """`name`, if it contains no path; tables written by hand may have names that `clean_name` refuses."""
    if not name or name != Path(name).name or "\0" in name or name.startswith("."):
        raise InputError(f"{name!r} is not a valid table name: give it without folders and without a leading dot.")
    return name


def remedy(path: Path, command: str = "") -> str:
    """What to do about a damaged table at `path`, for error messages; command: what makes it."""
    if path.stem in (TABLES[schema] for schema in _BY_PEOPLE):
        return "put back a copy of it, or move it away to begin without what people noted in it"
    return f"make it again with {command}" if command else "make it again"


def command_for(schema: type[Table], path: Path) -> str:
    """The command that makes the table at `path`, for error messages."""
    arguments = _COMMANDS.get(schema, _LOAD).format(root=path.parent, name=path.stem)
    return f"`python -m lo2core {arguments}`"
