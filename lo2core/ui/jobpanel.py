"""The job of a workspace: progress while it runs, what became of it afterwards; read from disk each time."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import streamlit as st

from lo2core import jobs
from lo2core.errors import BusyError
from lo2core.ui import state
from lo2core.ui.widgets import duration, notice, raw

POLL_SECONDS = 0.5
_WATCHED = "watched_job"


def start_job(workspace: Path, *arguments: object) -> None:
    """Start `python -m lo2core ARGUMENTS` for `workspace` and run the page again, now with the job's panel.

    Raises `BusyError` while another job holds the workspace.
    """
    jobs.start(workspace, ["-m", "lo2core", *map(str, arguments)])
    st.rerun()


def job_panel(workspace: Path, where: str) -> None:
    """Show the job of `workspace`, renewed twice a second while it runs; nothing if there was none.

    The page runs again once when the job ends, with a message atop. `where` tells several panels on one page apart.
    """
    status = jobs.status(workspace)
    if status.running:
        st.session_state[_WATCHED] = str(workspace)
        st.fragment(_running, run_every=POLL_SECONDS)(workspace, where)
        return
    just_ended = st.session_state.pop(_WATCHED, None) == str(workspace)
    if just_ended and status.state == "done":
        state.flash(f"Done after {_age(status)}.")
    if status.state == "failed" or (just_ended and status.state == "cancelled"):
        _ended(status, just_ended)


def _running(workspace: Path, where: str) -> None:
    status = jobs.status(workspace)
    if not status.running:
        st.rerun()
    with st.container(border=True, gap="small"):
        st.text(status.label or "Starting ...")
        st.progress(status.fraction or 0.0)
        st.text(_pace(status))
        if status.stoppable:
            st.button("Cancel", key=f"cancel-{where}", on_click=_cancel, args=(workspace,), width="stretch")


def _cancel(workspace: Path) -> None:
    with suppress(BusyError):  # the job ended meanwhile, and work begun in a terminal is not ours to end
        jobs.cancel(workspace)


def _pace(status: jobs.JobStatus) -> str:
    share = "" if status.fraction is None else f"{status.fraction:.0%}"
    left = "" if status.eta is None else f"about {duration(status.eta)} left"
    return "  ·  ".join(part for part in (share, status.rate, left) if part)


def _age(status: jobs.JobStatus) -> str:
    if not (status.started and status.ended):
        return "a while"
    return duration((status.ended - status.started).total_seconds())


def _ended(status: jobs.JobStatus, unfold: bool) -> None:
    if status.state == "cancelled":
        notice("The job was cancelled.", icon=":material/cancel:")
        return
    with st.expander("The last job failed", icon=":material/error:", expanded=unfold):
        raw(status.message or "It left no reason behind.")
        raw(status.command)
        if status.log_tail and status.log_tail != status.message:
            raw(status.log_tail, height=200)
