"""The explain stage over workspaces: reads what it needs, calls it, keeps what was shown."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from lo2core import bundles, diff, explain, incidents, lines, pipeline, rawlines
from lo2core.bundles import LoadedBundle
from lo2core.errors import ArtefactError, InputError
from lo2core.evidence import Evidence, Logs, holds_training
from lo2core.loaded import masked_for
from lo2core.lock import job_folder
from lo2core.names import file_name
from lo2core.requests import foreign_requests
from lo2core.store import Workspace
from lo2core.tables import Events, Feedback, Sequences
from lo2core.vectorizer import event_lines, trace


@dataclass(frozen=True)
class Incident:
    """What a person investigates: a test case folder of a run, or a window of it."""

    run: str
    folder: str
    window: int | None = None

    @classmethod
    def parse(cls, text: str) -> Incident:
        """From `run/folder` or `run/folder/window`, the window as 2 or w002; raises InputError for anything else."""
        run, _, rest = text.partition("/")
        folder, _, window = rest.partition("/")
        if not run or not folder or not re.fullmatch(r"(w?[0-9]{1,9})?", window):
            raise InputError(f"An incident is named run/folder or run/folder/window, found {text!r}.")
        return cls(run, folder, int(window.removeprefix("w")) if window else None)

    def __str__(self) -> str:
        return f"{self.run}/{self.folder}" + ("" if self.window is None else f"/{self.window}")

    @property
    def file_name(self) -> str:
        """A name for its folder."""
        return file_name(str(self).replace("/", "__"))


@dataclass(frozen=True)
class Explanation:
    """One incident explained. The services are all there; what follows is of the flagged ones, or of the worst.

    services: `incidents.services`; items, lines, nearest_normals, requests: tables of that name, all explained services
    together; diff: the worst service against its nearest normal; first_odd: `incidents.first_odd_events`; methods: how
    the score of each service was split; remark and by_message: as of `Evidence`.
    """

    prediction: str
    incident: Incident
    test_case: str
    services: pl.DataFrame
    items: pl.DataFrame
    lines: pl.DataFrame
    nearest_normals: pl.DataFrame
    requests: pl.DataFrame
    first_odd: pl.DataFrame
    diff: pl.DataFrame | None
    methods: dict[str, str] = field(default_factory=dict)
    remark: str = ""
    by_message: bool = False

    @property
    def frames(self) -> dict[str, pl.DataFrame]:
        """The tables by the name of their file."""
        found = {
            "services": self.services,
            "items": self.items,
            "lines": self.lines,
            "nearest_normals": self.nearest_normals,
            "requests": self.requests,
            "first_odd": self.first_odd,
            "diff": self.diff,
        }
        return {name: frame for name, frame in found.items() if frame is not None}


def evidence(workspace: Workspace, bundle: LoadedBundle) -> Evidence:
    """All that explanations of this workspace by this bundle draw on; read once, in fractions of a second."""
    here = _logs(workspace, bundle)
    return Evidence(bundle.model, bundle.vec, here, _training_logs(workspace, bundle, here))


def _training_logs(workspace: Workspace, bundle: LoadedBundle, here: Logs) -> Logs:
    """The logs that the bundle was trained on, `Logs.gone()` where they are not what they were."""
    facts = bundle.manifest.get("facts", {})
    home = Workspace(facts.get("workspace") or workspace.root)
    if bundle.model.unit == "row":
        return here
    try:
        mine = home.root.resolve() == workspace.root.resolve() and not facts.get("note")
        logs = here if mine or not home.has(Sequences) else _logs(home, bundle, training=True)
        return logs if holds_training(bundle.model, bundle.vec, logs) else Logs.gone()
    except ArtefactError:  # its workspace is damaged, or was masked anew
        return Logs.gone()


def lines_with(workspace: Workspace, item: int) -> pl.DataFrame:
    """`rawlines.lines_with` of a workspace's own logs."""
    events = workspace.scan(Events) if workspace.has(Events) else None
    logs = Logs(pipeline.read_items(workspace), workspace.read(Sequences), events)
    return rawlines.lines_with(logs, pipeline.masker_of(workspace), item)


def _logs(workspace: Workspace, bundle: LoadedBundle, training: bool = False) -> Logs:
    """The logs of a workspace as the bundle's vectorizer masks them; with those cut for training where it was so."""
    if training:
        items, sequences, _ = pipeline.training_data(workspace)
    else:
        items, sequences = pipeline.read_items(workspace), workspace.read(Sequences)
    items, events = masked_for(workspace, bundle.vec, items)
    return Logs(items, sequences, events)


def bundle_of(workspace: Workspace, name: str) -> LoadedBundle:
    """The bundle that made saved predictions, opened; raises ArtefactError where they do not say which."""
    path = workspace.metadata(name).get("bundle")
    if not path:
        raise ArtefactError(f"{workspace.path(name)} does not say which model made it: name the bundle with --bundle.")
    return bundles.load_bundle(path)


def made_by_another(workspace: Workspace, name: str, bundle: Path) -> str:
    """A sentence where a bundle is not the one that made saved predictions, as far as they say; else nothing."""
    made_by = workspace.metadata(name).get("bundle_sha256")
    if made_by in (None, bundles.stamp(bundle)[2]):
        return ""
    return (
        f"{name} was made by another model than {bundle.name} is now. The scores are those of then, what explains them "
        "is the model of today: predict again to have both from one model."
    )


def explain_incident(
    evidence: Evidence, predictions: pl.DataFrame, incident: Incident, prediction: str = ""
) -> Explanation:
    """One incident explained; nothing is saved. `predictions` may be saved ones or live scores."""
    rows = incidents.incident_of(predictions, incident.run, incident.folder, incident.window)
    services = incidents.services(rows, evidence.model)
    flagged = services.filter(pl.col("pred_ano"))
    chosen = (flagged if flagged.height else services.drop_nulls("z_score").head(1))["seq_id"].to_list()
    if not chosen:
        raise InputError(f"The model knows none of the services of {incident}: there is no score to explain.")
    items = {seq_id: explain.items(evidence, seq_id) for seq_id in chosen}
    nearest = [explain.nearest_normals(evidence, seq_id) for seq_id in chosen]
    with_events = evidence.here.events is not None
    shown = [lines.lines(evidence, seq_id, items[seq_id]) for seq_id in chosen] if with_events else []
    return Explanation(
        prediction=prediction,
        incident=incident,
        test_case=str(rows["test_case"][0]),
        services=services,
        items=pl.concat(items.values()),
        lines=pl.concat([lines.empty(), *shown]),
        nearest_normals=pl.concat(nearest),
        requests=pl.concat([foreign_requests(evidence, seq_id) for seq_id in chosen]),
        first_odd=incidents.first_odd_events(evidence, items if with_events else {}),
        diff=diff_to_normal(evidence, chosen[0]),
        methods={service: evidence.method(evidence.service_of(seq_id)) for service, seq_id in _of(services, chosen)},
        remark=evidence.remark,
        by_message=evidence.by_message,
    )


def _of(services: pl.DataFrame, seq_ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Service and seq_id of the given sequences, in their order."""
    yield from services.filter(pl.col("seq_id").is_in(seq_ids)).select("service", "seq_id").iter_rows()


def diff_to_normal(evidence: Evidence, seq_id: str, place: int = 1) -> pl.DataFrame | None:
    """`tables.DiffStretches` of a sequence and its nearest normal; None where the events of either are not there."""
    sides = diff_sides(evidence, seq_id, place)
    if sides is None:
        return None
    here, normal = sides
    stretches = diff.aligned_diff(here["message_id"], normal["message_id"])
    names = {"seq_id": seq_id, "normal": explain.nearest_normals(evidence, seq_id)["normal"][place - 1]}
    return stretches.with_columns(**{name: pl.lit(value) for name, value in names.items()})


def diff_sides(evidence: Evidence, seq_id: str, place: int = 1) -> tuple[pl.DataFrame, pl.DataFrame] | None:
    """The events of a sequence and of its nearest normal: line_no, message_id, level, m_timestamp, text, trace each."""
    nearest = explain.nearest_normals(evidence, seq_id).filter(pl.col("place") == place)
    if not nearest.height or evidence.here.events is None or evidence.training.events is None:
        return None
    here, normal = evidence.here.events_of(seq_id), evidence.training.events_of(nearest["normal"][0])
    return (_side(here), _side(normal)) if normal.height else None


def _side(events: pl.DataFrame) -> pl.DataFrame:
    text = event_lines(events).alias("text")
    return events.select("line_no", "message_id", "level", "m_timestamp", text, trace().alias("trace"))


NO_SCORES = "These predictions hold no scores, so there is nothing to explain: choose others, or score some logs."


def worst_incidents(predictions: pl.DataFrame, n: int) -> list[Incident]:
    """The n incidents with the largest z, worst first; incidents without a score are left out.

    Raises InputError where no row has a score.
    """
    if not predictions.height:
        raise InputError(NO_SCORES)
    scored = incidents.worst_first(predictions.drop_nulls("z_score"))
    if not scored.height:
        raise InputError("No row here has a score, so there is nothing to explain: the model knows other services.")
    rows = scored.unique(["run", "folder", "window"], keep="first", maintain_order=True).head(n)
    return [Incident(*row) for row in rows.select("run", "folder", "window").iter_rows()]


def keep_incident(workspace: Workspace, evidence: Evidence, explanation: Explanation) -> list[Path]:
    """Keep an explanation in `explainability/<prediction>/<incident>/`: tables and report.html; returns the paths."""
    from lo2core import report

    folder = workspace.explanations(explanation.prediction) / explanation.incident.file_name
    pages = {"report": report.incident_report(explanation, unfolded_diff(evidence, explanation))}
    facts = {"prediction": explanation.prediction, "incident": str(explanation.incident)}
    return workspace.keep(folder, explanation.frames, pages, {"command": pipeline.command_line(), **facts})


def keep_prediction(
    workspace: Workspace, evidence: Evidence, predictions: pl.DataFrame, explanations: Sequence[Explanation]
) -> list[Path]:
    """Keep a report of a whole prediction under `explainability/<prediction>/`; returns the paths.

    `explanations` (at least one) are shown in it one after the other; beside it lie its false positives, where it is
    labelled, and all explained items.
    """
    from lo2core import report

    name = explanations[0].prediction
    made = workspace.metadata(name)
    pages = {"report": report.prediction_report(name, predictions, explanations, made)}
    frames = {"items": pl.concat([one.items for one in explanations])}
    wrong, shared = incidents.false_positives(evidence, predictions)
    if wrong.height:
        frames |= {"false_positives": wrong, "false_positives_share": shared}
    return workspace.keep(workspace.explanations(name), frames, pages, {"command": pipeline.command_line()})


def unfolded_diff(evidence: Evidence, explanation: Explanation) -> pl.DataFrame | None:
    """The aligned diff of the worst service line by line, see `diff.unfolded`; None where there is none."""
    if explanation.diff is None or not explanation.diff.height:
        return None
    sides = diff_sides(evidence, explanation.diff["seq_id"][0])
    return None if sides is None else diff.unfolded(explanation.diff, *sides)


def marks(workspace: Workspace) -> pl.DataFrame:
    """`tables.Feedback` of a workspace; empty where nothing was marked."""
    return workspace.read(Feedback) if workspace.has(Feedback) else Feedback.create_empty()


def add_mark(workspace: Workspace, row: pl.DataFrame) -> pl.DataFrame:
    """Append a row of `feedback.benign` or `feedback.undo` to the marks; returns all of them."""
    with _marks_held(workspace):
        both = pl.concat([marks(workspace), row])
        workspace.write(Feedback, both, provenance={"command": pipeline.command_line()}, replace=True)
    return both


@contextmanager
def _marks_held(workspace: Workspace) -> Iterator[None]:
    """Wait for, then hold the marks: what two people add at once must not overwrite each other.

    Not the lock of the workspace: a job may hold that one for hours, and marks are set meanwhile.
    """
    path = job_folder(workspace) / "marks.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise ArtefactError(f"{workspace.root} takes no marks: {error.strerror}.") from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
