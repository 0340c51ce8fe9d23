"""The job of a workspace at the top of each page: its progress, then its result. The state is read from disk."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import streamlit as st

from lo2core.base.config import models_dir
from lo2core.base.errors import ArtefactError, BusyError, reason
from lo2core.base.text import duration, visible
from lo2core.pipeline import jobs, queue
from lo2core.pipeline.commands import Command
from lo2core.pipeline.lock import Work
from lo2core.store import bundles, signing
from lo2core.ui.shell import session
from lo2core.ui.shell.boundary import dialog, fragment, section
from lo2core.ui.shell.session import Lead
from lo2core.ui.shell.widgets import notice, raw, say

TRAIN, PREDICT, EXPLAIN = "pages/3_Train.py", "pages/4_Predict.py", "pages/5_Explain.py"
POLL_SECONDS = 0.5
_WATCHED, _REFUSED = "watched_job", "refused_job"


def start_job(workspace: Path, command: Command) -> None:
    """Start a command as the job of `workspace` and run the page again, now with the job's panel.

    While another command holds the workspace, the page asks whether this one is to run next.
    """
    try:
        jobs.start(workspace, command.work())
    except BusyError as error:
        st.session_state[_REFUSED] = workspace, command.work(), str(error)
    st.rerun()


@section
def job_panel(workspace: Path) -> None:
    """Show the job of `workspace`, updated twice a second while it runs; nothing if there was none. Once on a page.

    When the job ends, the page runs again and shows a message.
    """
    if refused := st.session_state.pop(_REFUSED, None):
        _offer_next(*refused)
    jobs.start_next(workspace)
    status = jobs.status(workspace)
    if status.running:
        st.session_state[_WATCHED] = str(workspace)
        fragment(_running, run_every=POLL_SECONDS)(workspace)
        return
    just_ended = st.session_state.pop(_WATCHED, None) == str(workspace)
    if just_ended and status.state == "done":
        session.flash(f"Done after {_age(status)}: {visible(status.work.title)}.", after(status.work))
    if status.state == "failed" or (just_ended and status.state == "cancelled"):
        _ended(status, just_ended)


def after(work: Work) -> Lead | None:
    """A link to the next step after this work; None if that is the page that started it."""
    logs = Path(work.output_dir)
    match work.stage:
        case "load":
            return _after_load(logs)
        case "train":
            return Lead(PREDICT, "Score logs", {"bundle": Path(work.bundle).stem})
        case "predict":
            return Lead(EXPLAIN, "See why", {"prediction": work.predictions} | _sample(logs))
        case "score":
            return Lead(PREDICT, "See the result", {"bundle": Path(work.bundle).stem} | _sample(logs))
        case "enhance":
            return Lead(TRAIN, "Train a model")
        case "demo":
            return Lead(EXPLAIN, "See why")
    return None


def _after_load(logs: Path) -> Lead:
    if any(info.state is signing.BundleState.SIGNED for info in bundles.bundles(models_dir())):
        return Lead(PREDICT, "Score logs", _sample(logs))
    return Lead(TRAIN, "Train a model")


def _sample(logs: Path) -> dict[str, str]:
    return {"sample": logs.name} if logs.parent.name == "samples" else {}


def _running(workspace: Path) -> None:
    status = jobs.status(workspace)
    if not status.running:
        st.rerun()
    with st.container(border=True, gap="small", key="job"):
        if status.before:
            notice(status.before, icon=":red[:material/error:]")
        with st.container(horizontal=True, vertical_alignment="center"):
            say(f"{status.work.title}  ·  {status.label or 'Starting ...'}", width="stretch")
            say(_pace(status))
            if status.stoppable:
                st.button("Cancel", key="cancel-job", on_click=_cancel, args=(workspace,))
        if status.fraction is not None:
            st.progress(status.fraction)
        if following := queue.waiting(workspace):
            with st.container(horizontal=True, vertical_alignment="center"):
                say(f"Runs next: {following.title}", width="stretch")
                st.button("Remove", key="remove-next", on_click=queue.remove, args=(workspace,))


@dialog("Another command is running", icon=":material/hourglass_top:")
def _offer_next(workspace: Path, work: Work, busy: str) -> None:
    """Say what happened to a request for which the workspace was not free, and offer to run it next."""
    earlier = queue.waiting(workspace)
    say(busy)
    say(f"Your request was not started: {work.title}.")
    if earlier:
        say(f"Only one command can wait, and {earlier.title} does. Remove that one first.")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Discard", key="next-no"):
            st.rerun()
        if st.button("Run it next", key="next-yes", type="primary", disabled=earlier is not None):
            queue.enqueue(workspace, work)
            st.rerun()


def _cancel(workspace: Path) -> None:
    with suppress(BusyError):  # the job has ended, or was started in a terminal
        try:
            jobs.cancel(workspace)
        except (ArtefactError, OSError) as error:
            session.flash(f"The job could not be cancelled: {reason(error)}.")


def _pace(status: jobs.JobStatus) -> str:
    share = status.amount if status.fraction is None else f"{status.fraction:.0%}"
    left = "" if status.eta is None else f"about {duration(status.eta)} left"
    return "  ·  ".join(part for part in (share, status.rate, left) if part)


def _age(status: jobs.JobStatus) -> str:
    return "a while" if status.seconds is None else duration(status.seconds)


def _ended(status: jobs.JobStatus, unfold: bool) -> None:
    if status.state == "cancelled":
        notice("The job was cancelled.", icon=":material/cancel:")
        return
    with st.expander("The last job failed", icon=":material/error:", expanded=unfold):
        say(f"{status.work.title}: {status.message or 'no reason was recorded.'}")
        raw(status.work.command)
        if status.log_tail and status.log_tail != status.message:
            raw(status.log_tail)
