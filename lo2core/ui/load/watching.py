"""Watching the folder of page Load: a switch, and what the watch has done so far."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

import streamlit as st

from lo2core.base.config import models_dir
from lo2core.base.errors import BusyError, Lo2Error
from lo2core.base.text import visible
from lo2core.load.plan import LoadOptions
from lo2core.pipeline import jobs
from lo2core.pipeline.commands import Watch
from lo2core.pipeline.watch import slot
from lo2core.store import bundles, signing
from lo2core.store.workspace import Workspace
from lo2core.ui.load.preview import Logs
from lo2core.ui.shell import session
from lo2core.ui.shell.boundary import fragment, section
from lo2core.ui.shell.widgets import problem, raw, say

_POLL_SECONDS = 2.0


@section
def control(workspace: Workspace, logs: Logs | None, options: LoadOptions | None, output: Path) -> None:
    """The watches of the workspace and its samples; and a switch for a new one, if a folder is chosen."""
    running = [folder for folder in _folders(workspace) if jobs.status(slot(folder)).running]
    for folder in running:
        fragment(_running, run_every=_POLL_SECONDS)(folder)
    if output in running or not logs or not options or logs.uploaded or not Path(logs.roots[0]).expanduser().is_dir():
        return
    with st.expander("Watch this folder", icon=":material/visibility:"):
        _start(logs, options, output)


def _folders(workspace: Workspace) -> Iterable[Path]:
    return [workspace.root, *(sample.root for sample in workspace.samples())]


def _start(logs: Logs, options: LoadOptions, output: Path) -> None:
    say("New test cases are loaded and scored when they are complete, also while no page is open.")
    found = [info for info in bundles.bundles(models_dir()) if info.state is signing.BundleState.SIGNED]
    if not found:
        say("For that a signed model is needed: train one first.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        model = st.selectbox("Model", found, format_func=lambda info: visible(info.name), key="watch-model", width=300)
        settle = st.number_input(
            "Complete after (seconds without a change)", 1, value=60, key="watch-settle", width=300
        )
        command = Watch(
            root=tuple(Path(root).expanduser() for root in logs.roots),
            options=options,
            service=logs.service,
            bundle=model.path,
            settle=float(settle),
            output_dir=output,
        )
        st.toggle("Watch", key=f"watch-{output}-off", value=False, on_change=partial(_begin, command))
    _last(output)
    raw(command.work().command)


def _begin(command: Watch) -> None:
    try:
        jobs.start(slot(command.output_dir), command.work())
    except Lo2Error as error:
        session.flash(str(error))


def _last(output: Path) -> None:
    """Why the last watch ended, if it failed."""
    status = jobs.status(slot(output))
    if status.state == "failed":
        problem(f"The last watch ended: {status.message or 'no reason was recorded.'}")


def _running(output: Path) -> None:
    status = jobs.status(slot(output))
    if not status.running:
        st.rerun()
    with st.container(border=True, gap="small"):
        say(f"Watching for new test cases, which are loaded into {output}.")
        raw(status.work.command)
        lines = [line for line in status.log_tail.splitlines() if line[:2].isdigit()]
        raw("\n".join(lines[-3:]) or "Nothing new yet.")
        if status.stoppable:
            st.toggle("Watch", key=f"watch-{output}-on", value=True, on_change=partial(_stop, output))
        else:
            say("It was started in a terminal: stop it there.")


def _stop(output: Path) -> None:
    with suppress(BusyError):
        jobs.cancel(slot(output))
