"""New logs on page Predict: they are loaded as a sample and scored in one step; what is new in the scores."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import streamlit as st

from lo2core.base.errors import Lo2Error
from lo2core.base.schemas import Groups, Messages
from lo2core.base.text import plural, visible
from lo2core.explain import news
from lo2core.load.plan import LoadOptions
from lo2core.pipeline import jobs
from lo2core.pipeline.commands import Score
from lo2core.pipeline.score import earlier_predictions, fitness_of_new, free_sample, new_messages
from lo2core.store import bundles, settings
from lo2core.store.predictions import bundle_of, home_of, newest_first
from lo2core.store.signing import BundleState
from lo2core.store.workspace import Workspace
from lo2core.ui.load import naming, uploads
from lo2core.ui.load.preview import Logs, in_words, plan_of
from lo2core.ui.predict import groups
from lo2core.ui.predict.inputs import Scored
from lo2core.ui.shell import address, cache, folders, models
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.cache import remembered
from lo2core.ui.shell.frame import Frame
from lo2core.ui.shell.job_panel import start_job
from lo2core.ui.shell.scores import saved_scores
from lo2core.ui.shell.session import Lead
from lo2core.ui.shell.widgets import notice, problem, statement, when

COMPARE = "pages/6_Compare.py"
NEW = "new"
"""Query parameter that unfolds the drop zone."""
MOST_EARLIER = 10
"""Earlier predictions in which faults are looked up."""
_TYPED, _BEGUN = "score-folder", "score-begun"


@section
def drop_zone(here: Frame) -> bool:
    """Fields for new logs, and a button that loads and scores them; returns whether that is being done just now."""
    status = jobs.status(here.workspace.root)
    if status.running and status.work.stage == Score.stage():
        return True
    signed = _models(here)
    if signed:
        with st.expander("Score new logs", icon=":material/radar:", expanded=address.read(NEW) is not None):
            _ask(here, signed)
    return False


def _models(here: Frame) -> list[Path]:
    """The signed models; the one that made the newest predictions comes first."""
    signed = [info.path for info in bundles.bundles(here.models_dir) if info.state is BundleState.SIGNED]
    scored = [home_of(here.workspace, name) for name in newest_first(here.workspace)[:1]]
    made = {home.artefact(table).metadata.get("bundle_sha256") for home, table in scored}  # also that of a copy
    paths = {path.resolve() for home, table in scored if (path := bundle_of(home, table, here.models_dir))}
    return sorted(signed, key=lambda path: (bundles.claimed_sha256(path) not in made, path.resolve() not in paths))


def _ask(here: Frame, signed: list[Path]) -> None:
    if st.session_state.pop(_BEGUN, False):
        st.session_state[_TYPED] = ""
        uploads.forget_kept("score")
    logs = _logs(here.workspace)
    bundle = st.selectbox("Model", signed, format_func=lambda path: visible(path.stem), key="score-with", width=380)
    command = _command(here, logs, bundle) if logs else None
    if st.button("Score", type="primary", icon=":material/radar:", disabled=command is None) and command:
        st.session_state[_BEGUN] = True
        if logs and not logs.uploaded:
            settings.loaded_logs(logs.roots[0])
        address.write({"sample": command.output_dir.name, "bundle": command.bundle.stem, NEW: None})
        start_job(here.workspace.root, command)


def _logs(workspace: Workspace) -> Logs | None:
    dropped = uploads.uploads(workspace, "score")
    typed = folders.path_field("Or a folder, archive or log on this machine", _TYPED, "/data/today")
    if typed:
        return Logs((typed,))
    return Logs(tuple(map(str, dropped)), uploaded=True) if dropped else None


def _command(here: Frame, logs: Logs, bundle: Path) -> Score | None:
    """The command that scores the logs, below what is recognised in them; None if there is nothing to load."""
    options = LoadOptions(labels="none" if logs.uploaded else "names")
    try:
        recognised = in_words(plan_of(logs, options))
    except (Lo2Error, OSError, RuntimeError) as error:  # a typed path may be invalid
        problem(str(error))
        return None
    notice(recognised, icon=":material/travel_explore:")
    naming.verdicts(here.workspace, logs, options)
    _fitness(logs, options, bundle)
    sample = free_sample(here.workspace, uploads.stem(uploads.clean_file_name(logs.roots[0])))
    return Score(root=tuple(map(Path, logs.roots)), options=options, output_dir=sample.root, bundle=bundle)


@section
def _fitness(logs: Logs, options: LoadOptions, bundle: Path) -> None:
    """Whether the model fits the new logs, by some of their test cases."""
    plan = plan_of(logs, options)
    stamps = tuple((file.source, file.bytes) for file in plan.chosen)
    roots = tuple((root, cache.file_stamp(Path(root).expanduser())) for root in logs.roots)
    key = ("new", roots, stamps, options, *cache.bundle_key(bundle))
    found = cache.FITNESS.get(key, lambda: fitness_of_new(logs.roots, options, models.opened(bundle), plan))
    if not found:
        st.caption("These logs are large. Whether the model fits them is shown after they are loaded.")
        return
    fits, n = found
    cases = len({(file.run, file.folder) for file in plan.chosen})
    statement(fits, f"By {n:,} of {plural(cases, 'test case')}:" if n < cases else "")


@section
def summary(found: Scored) -> None:
    """What is new in saved scores since earlier ones of the same model, and a link to compare them with the last."""
    here, name = found.choice.here, found.saved_name
    earlier = earlier_predictions(here.workspace, name)[:MOST_EARLIER] if name else []
    if name and earlier:
        new, faults = found.ranked["pred_ano"], _faults(here, name, earlier)
        text = news.sentence(_day(here, name), _made(here, name), new, faults, _unseen(found))
        _, last = saved_scores(*home_of(here.workspace, earlier[0]))
        flagged = int(last["pred_ano"].fill_null(False).sum())
        made = when(_made(here, earlier[0]))
        before = f"Previous scores, {earlier[0]} ({made}): {flagged:,} of {plural(last.height, 'incident')} flagged."
        lead = Lead(COMPARE, "Compare them", {"a": earlier[0], "b": name})
        notice(f"{text}\n{before}", icon=":material/newspaper:", lead=lead)


def _faults(here: Frame, name: str, earlier: list[str]) -> pl.DataFrame:
    """`news.known_since` of the groups of a prediction; no rows if they cannot be made."""
    mine = groups.of_saved(here, name)
    judged = groups.judged_or_new(here.workspace, mine).groups if mine else Groups.create_empty()
    found = [(one, theirs) for one in earlier if (theirs := groups.of_saved(here, one))]
    before = [(_made(here, one).astimezone(UTC).replace(tzinfo=None), theirs.groups) for one, theirs in found]
    return news.known_since(judged, before) if mine else judged


def _unseen(found: Scored) -> int:
    logs = found.choice.logs
    return remembered(_new_messages, found.choice.here.workspace, str(logs.root), logs.stamp(Messages))


def _new_messages(workspace: Workspace, logs: str, stamp: object) -> int:
    return new_messages(workspace, Workspace(logs))


def _made(here: Frame, name: str) -> datetime:
    """When a prediction was made, with its time zone."""
    home, table = home_of(here.workspace, name)
    return home.artefact(table).created or datetime.now(UTC)


def _day(here: Frame, name: str) -> str:
    """'Today', 'Yesterday', '23 Nov'."""
    return when(_made(here, name)).rpartition(" ")[0].capitalize()
