"""The form of page Load: source of the logs, options, destination."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from lo2core.base.config import NORMAL_TEST_CASE, configured_cluster
from lo2core.base.errors import InputError, Lo2Error
from lo2core.base.schemas import Sequences
from lo2core.base.text import visible
from lo2core.load.log_file import TABLE, distinct
from lo2core.load.names import lo2_service, own_service, piece_of, stem_of
from lo2core.load.plan import LoadOptions, Plan
from lo2core.pipeline.commands import Load
from lo2core.store import settings
from lo2core.store.workspace import Workspace
from lo2core.ui.load import naming, uploads, watching
from lo2core.ui.load.preview import Logs, growth, in_words, plan_of
from lo2core.ui.shell import address, folders, frame, keyboard
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.job_panel import start_job
from lo2core.ui.shell.widgets import notice, problem, say

FOLDER, UPLOAD = "folder", "upload"
HERE, SAMPLE = "this workspace", "a new sample"
APPEND, REPLACE = "add runs", "replace all"
LABELS = {
    "names": "test cases named correct",
    "none": "unknown",
    "normal": "everything is normal",
}
_SHOWN, _CHOICE = "loaded_sample", "choice-Loaded logs"


@dataclass(frozen=True)
class Request:
    """What to load and where to; `how` is append, replace, or "" if the destination is empty."""

    logs: Logs
    options: LoadOptions
    output: Path
    how: str = ""
    sample: str = field(default="", compare=False)
    cluster: str | None = None

    @property
    def destination(self) -> str:
        """A sentence: what is written where."""
        if self.how:
            return (
                f"Adds to the logs in {self.output}."
                if self.how == "append"
                else f"Replaces the logs in {self.output}."
            )
        return f"Writes to {self.output}." if self.output.exists() else f"Creates {self.output}."

    @property
    def command(self) -> Load:
        """The command that does it."""
        return Load(
            root=tuple(map(Path, self.logs.roots)),
            options=self.options,
            service=self.logs.service,
            cluster=self.cluster,
            append=self.how == "append",
            output_dir=self.output,
            replace=self.how == "replace",
        )


@section
def ask(workspace: Workspace) -> Request | None:
    """The whole form and its button, in a frame; returns None while something is missing."""
    with st.container(border=True):
        logs = source(workspace)
        options = choose(workspace, logs) if logs else None
        with st.container(horizontal=True, vertical_alignment="bottom"):
            request = target(workspace, logs, options) if logs and options else None
            request = request and replace(request, cluster=_cluster())
            look: dict[str, Any] = {"type": "primary", "icon": ":material/download:", "shortcut": keyboard.RUN}
            if st.button("Load", disabled=request is None, **look) and request:
                start(workspace, request)
        if request:
            say(request.destination)
        watching.control(workspace, logs, options, request.output if request else workspace.root)
    return request


@section
def example(workspace: Workspace) -> Load:
    """The command while nothing is chosen."""
    return Load(root=(Path("PATH"),), output_dir=workspace.root)


def source(workspace: Workspace) -> Logs | None:
    """The logs in a folder or an upload; None until they are there and their services are known."""
    kind = st.segmented_control(
        "From", [FOLDER, UPLOAD], default=FOLDER, required=True, key="load-from", persist_state="session"
    )
    if kind == UPLOAD:
        paths = uploads.uploads(workspace)
        return _named(Logs(tuple(map(str, paths)), uploaded=True)) if paths else None
    typed = folders.path_field("Folder, archive or log file on this machine", "load-folder", "/data/lo2")
    return _named(Logs((typed,))) if typed else None


def _named(logs: Logs) -> Logs:
    """The service of a single log that is not one of LO2's: by its name, unless another one is typed."""
    names = [Path(root).name for root in logs.roots]
    piece = piece_of(names[0])
    if len(names) > 1 or not piece or lo2_service(piece.log) or not _is_file(logs.roots[0]):
        return logs
    by_name = own_service(stem_of(piece.log))
    typed = st.text_input("Service", by_name, key="load-service", persist_state="session", max_chars=60).strip()
    return logs if typed in ("", by_name) else replace(logs, service=typed)


def _is_file(root: str) -> bool:
    try:
        return Path(root).expanduser().is_file()
    except (OSError, RuntimeError, ValueError):  # a typed path may be invalid
        return False


def choose(workspace: Workspace, logs: Logs) -> LoadOptions | None:
    """The options of the load, and its plan in words; None if there is nothing to load."""
    try:
        asked = naming.ask(workspace, logs)
        options = _options(plan_of(logs, asked), asked, logs.uploaded)
        summary = in_words(plan_of(logs, options))
        naming.preview(workspace, logs, options)
    except (Lo2Error, OSError, RuntimeError) as error:  # a typed path may be invalid: too long, an unknown ~name
        problem(str(error))
        return None
    notice(summary, icon=":material/travel_explore:")
    naming.verdicts(workspace, logs, options)
    if options.labels == LoadOptions().labels and all(file.normal is None for file in plan_of(logs, options).chosen):
        problem(
            "No name says which test cases are normal, and a model is trained on normal ones.",
            f'Choose them under "{naming.EXPANDER}", or say under "More" that everything is normal.',
        )
    if options.labels != LoadOptions().labels:
        st.caption(f'Normal test cases: {LABELS[options.labels]}. Change this under "More".')
    return options


def _options(found: Plan, asked: LoadOptions, uploaded: bool) -> LoadOptions:
    services = distinct(file.service for file in found.chosen if file.layout != TABLE)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        runs = st.number_input("Runs, earliest first", 1, len(found.runs), len(found.runs), width=180)
        chosen = st.multiselect(
            "Services", services, format_func=visible, placeholder="all", width=380, disabled=not services
        )
        with st.popover("More", icon=":material/tune:"):
            options = _more(found, asked, uploaded)
    return replace(options, n_runs=runs if runs < len(found.runs) else None, services=tuple(chosen))


def _more(found: Plan, asked: LoadOptions, uploaded: bool) -> LoadOptions:
    faults = sorted({str(file.test_case) for file in found.chosen if file.normal is not True} - {NORMAL_TEST_CASE})
    labels = st.selectbox(
        "Normal test cases",
        list(LABELS),
        index=1 if uploaded else 0,
        format_func=LABELS.__getitem__,
        key=f"load-labels-{uploaded}",
        disabled=bool(asked.normal),
    )
    fault = st.selectbox(
        "Only this faulty test case",
        ["random", *faults],
        index=None,
        format_func=visible,
        placeholder="all",
        key="load-fault",
    )
    per_run = st.number_input(
        "Faulty test cases per run, drawn at random", 1, value=None, placeholder="all", key="load-per-run"
    )
    twice = st.checkbox("Several runs may draw the same fault", value=True, key="load-twice")
    seed = st.number_input("Random seed", 0, value=LoadOptions().seed, key="load-seed")
    skip = st.number_input("Lines to skip at the start of each log", 0, value=0, key="load-skip")
    window = st.number_input("Split test cases into windows of about (seconds)", 0.1, value=None, key="load-window")
    return replace(
        asked,
        errors_per_run=per_run,
        dup_errors=twice,
        single_error_type=fault,
        skip_init_lines=skip,
        window=window,
        labels=asked.labels if asked.normal else labels,
        seed=seed,
    )


def target(workspace: Workspace, logs: Logs, options: LoadOptions) -> Request | None:
    """The destination: the workspace, or a sample, which is scored but kept out of the training data.

    The default for an upload is a sample if the workspace already contains logs.
    """
    loaded = workspace.has(Sequences)
    proposed = SAMPLE if logs.uploaded and loaded else HERE
    where = st.segmented_control(
        "Into", [HERE, SAMPLE], default=proposed, required=True, key=f"load-into-{proposed}", persist_state="session"
    )
    if where == SAMPLE:
        return _sample(workspace, logs, options)
    if not loaded:
        return Request(logs, options, workspace.root)
    how = st.segmented_control(
        "The workspace already contains logs", [APPEND, REPLACE], default=APPEND, required=True, key="load-how"
    )
    if how == APPEND and not _has_new(workspace, logs, options):
        return None
    return Request(logs, options, workspace.root, "append" if how == APPEND else "replace")


def _cluster() -> str | None:
    """The configured cluster, if its workers are to read the logs."""
    configured = configured_cluster()
    wanted = configured and st.toggle(
        "On the cluster", True, key="load-on-cluster", persist_state="session", help=f"The workers of {configured}"
    )
    return configured if wanted else None


def _has_new(workspace: Workspace, logs: Logs, options: LoadOptions) -> bool:
    """Whether the logs contain something that is not loaded yet; says what, if part of them is loaded."""
    try:
        grown = growth(workspace, logs, options)
    except InputError as error:
        say(f"{error} Or load them as a new sample.", width="content")
        return False
    if grown.same or grown.changed:
        say(grown.sentence(), width="content")
    return bool(grown.plan.chosen)


def _sample(workspace: Workspace, logs: Logs, options: LoadOptions) -> Request | None:
    proposed = uploads.stem(uploads.clean_file_name(logs.roots[0]))
    name = st.text_input(
        "Name of the sample", proposed, key=f"load-sample-{proposed}", persist_state="session", width=240
    )
    name = name.strip()
    try:
        sample = workspace.sample(name)
    except Lo2Error as error:
        problem(str(error))
        return None
    return Request(logs, options, sample.root, "replace" if sample.has(Sequences) else "", sample=name)


def start(workspace: Workspace, request: Request) -> None:
    """Start the job; ask first if it replaces loaded logs."""
    begin = partial(_begin, workspace, request)
    if request.how != "replace":
        begin()
    else:
        frame.confirm_replace(f"The logs in {request.output} will be replaced by the chosen ones.", begin)


def _begin(workspace: Workspace, request: Request) -> None:
    st.session_state[_SHOWN] = request.sample
    if not request.logs.uploaded:
        settings.loaded_logs(request.logs.roots[0])
    address.write({"sample": request.sample or None})
    start_job(workspace.root, request.command)


@section
def shown(workspace: Workspace) -> Workspace:
    """The workspace or the sample whose logs the results show, below a heading."""
    samples = {sample.root.name: sample for sample in workspace.samples() if sample.has(Sequences)}
    if samples or workspace.has(Sequences):
        st.header("Loaded logs", anchor=False)
    if not samples:
        return workspace
    names = [""] * workspace.has(Sequences) + list(samples)
    linked = address.read("sample")
    wanted = linked if linked in samples else st.session_state.get(_SHOWN)  # kept while the sample is being loaded
    st.session_state[_CHOICE] = wanted if wanted in names else names[0]
    name = st.selectbox(
        "Loaded logs",
        names,
        label_visibility="collapsed",
        key=_CHOICE,
        on_change=_show_chosen,
        format_func=lambda one: f"sample {one}" if one else "the workspace",
        width=320,
    )
    return samples.get(name, workspace)


def _show_chosen() -> None:
    st.session_state[_SHOWN] = st.session_state[_CHOICE]
    address.write({"sample": st.session_state[_CHOICE] or None})
