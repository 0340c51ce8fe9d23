"""The window *Jobs*: the last jobs of the workspace, with their time, result, command and log."""

from __future__ import annotations

import polars as pl
import streamlit as st

from lo2core.base.text import duration
from lo2core.pipeline import job_history, jobs
from lo2core.pipeline.jobs import JobStatus
from lo2core.ui.shell import tables
from lo2core.ui.shell.boundary import dialog
from lo2core.ui.shell.keyboard import copy_button
from lo2core.ui.shell.widgets import raw, say, when

_COLUMNS = {
    "started": st.column_config.TextColumn("started", width=125),
    "job": st.column_config.TextColumn("job", width=240),
    "took": st.column_config.TextColumn("took", width=70),
    "result": st.column_config.TextColumn("result", width=80),
    "exit": st.column_config.NumberColumn("exit", width=45, help="The exit status of the command; none if killed"),
    "message": st.column_config.TextColumn("", width=300),
}


@dialog("Jobs", icon=":material/history:", width="large")
def jobs_window(workspace: str) -> None:
    """All jobs that are kept, newest first; a selected one with its command and its log."""
    st.caption(f"Jobs of this workspace, at most {job_history.KEPT + 1}. Select one to see its command and its log.")
    found = jobs.history(workspace)
    if not found:
        say("No job was started from the dashboard in this workspace yet.")
        return
    rows = [_row(job) for job in found]
    picked = tables.pick(pl.DataFrame(rows, list(_COLUMNS), orient="row"), _COLUMNS, f"jobs-{len(found)}", most=8)
    if picked is not None:
        _details(found[picked])


def _row(job: JobStatus) -> tuple[str, str, str, str, int | None, str]:
    started = when(job.started) if job.started else ""
    took = "" if job.seconds is None else duration(job.seconds)
    return started, job.work.title, took, job.state, job.exit, job.message or (job.label if job.running else "")


def _details(job: JobStatus) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Command", width="content")
        copy_button("Copy command", "copy-job", job.work.command)
    raw(job.work.command)
    st.caption("Log")
    raw(job.log_tail or "The log is empty.")
