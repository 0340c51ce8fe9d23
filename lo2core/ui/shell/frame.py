"""The frame of every page: settings, side bar, job panel and messages at the top, the command at the bottom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from lo2core.base import text as base_text
from lo2core.base.config import SAMPLE_WORKSPACE, models_dir
from lo2core.base.glossary import TERMS
from lo2core.base.text import visible
from lo2core.pipeline.commands import Command
from lo2core.store import settings
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import address, connection, folders, keyboard, session, tour
from lo2core.ui.shell.boundary import apart, dialog, section
from lo2core.ui.shell.files import files
from lo2core.ui.shell.job_panel import job_panel
from lo2core.ui.shell.jobs_window import jobs_window
from lo2core.ui.shell.keyboard import copy_button
from lo2core.ui.shell.memory import set_modules_aside
from lo2core.ui.shell.session import Lead
from lo2core.ui.shell.widgets import notice, problem, same_workspace, say, script_button, terminal_command

PAGES = {
    "streamlit_app.py": ("Overview", ":material/home:"),
    "pages/1_Load.py": ("Load", ":material/folder_open:"),
    "pages/2_Enhance.py": ("Enhance", ":material/auto_fix_high:"),
    "pages/3_Train.py": ("Train", ":material/model_training:"),
    "pages/4_Predict.py": ("Predict", ":material/radar:"),
    "pages/5_Explain.py": ("Explain", ":material/lightbulb:"),
    "pages/6_Compare.py": ("Compare", ":material/compare_arrows:"),
}
"""Script, title and icon of each page, in the order of use."""

SIDEBAR_WIDTH = 260
STYLE = """
.stMainBlockContainer { padding-inline: 2.5rem; max-width: 1800px }
[class*=st-key-terminal] {
    background: color-mix(in srgb, currentColor 5%, transparent); border-radius: 0.5rem; padding: 0.7rem 1rem;
}
[class*=st-key-terminal] span {
    font: 0.8rem/1.5 "Source Code Pro", monospace; overflow-wrap: anywhere; user-select: all;
}
[data-testid=stSidebar] .stButton button > div { justify-content: flex-start; padding-inline: 0.5rem }
.st-key-chain > * { position: relative }
.st-key-chain > :not(:last-child)::after {
    content: "\\2192"; position: absolute; top: 50%; left: 100%; width: 1rem; text-align: center; opacity: 0.6;
}
[data-testid=stElementToolbar] [aria-label^="Download as CSV"] { display: none } /* ours mask secrets and formulas */
[data-testid=stDownloadButtonError] { display: none } /* the page says why a report was not made */
.stHtml pre {
    font: 0.8rem/1.5 "Source Code Pro", monospace; white-space: pre-wrap; word-break: break-all; margin: 0;
    tab-size: 4; max-height: 20rem; overflow: auto; padding: 0.7rem 1rem; border-radius: 0.5rem;
    background: color-mix(in srgb, currentColor 5%, transparent);
}
.stMainBlockContainer > .stVerticalBlock > [data-testid=stLayoutWrapper]:has(.st-key-job) {
    position: sticky; top: 3.5rem; z-index: 50; background: Canvas; border-radius: 0.5rem;
}
.st-key-telling pre { background: #c2990f40; border-left: 4px solid #c2990f }
.stHtml .scroll { max-height: 48rem; overflow: auto }
.stHtml table { width: 100%; table-layout: fixed; border-collapse: collapse; font-size: 0.875rem }
.stHtml :is(th, td) {
    padding: 0.3rem 0.6rem 0.3rem 0; border: solid color-mix(in srgb, currentColor 15%, transparent);
    border-width: 0 0 1px; text-align: left; vertical-align: top; overflow-wrap: anywhere;
}
.stHtml th:first-child { width: 9rem }
"""
"""What the theme cannot express: page width, arrows, commands that a click selects, the look of log text,
tables and the buttons in the side bar."""

LOGO = str(Path(__file__).parent / "logo.svg")
_CHOICE = "choice-Workspace"


@dataclass(frozen=True)
class Frame:
    """What a page works on."""

    workspace: Workspace
    models_dir: Path


@contextmanager
def page(title: str, purpose: str) -> Iterator[Frame]:
    """A page, drawn inside the block: settings, side bar, heading, its purpose in one sentence, messages.

    An error in the block is shown as a sentence; a `boundary.section` shows its own, and the page goes on.
    """
    st.set_page_config(f"{title} · lo2core", page_icon=LOGO, layout="wide", initial_sidebar_state=SIDEBAR_WIDTH)
    st.html(f"<style>{STYLE}</style>")
    here = _begun(title, purpose)
    if here is None:
        st.stop()
    with apart():
        yield here


@section
def _begun(title: str, purpose: str) -> Frame:
    address.arrive(title)
    workspace = _sidebar()
    st.title(title, anchor=False)
    st.caption(purpose)
    job_panel(Path(workspace))
    _say_where(workspace)
    for flash in session.take_flashes():
        notice(flash.message, icon=":green[:material/check_circle:]", lead=_if_elsewhere(flash.lead, title))
    here = Frame(Workspace(workspace).snapshot(), models_dir())
    tour.show(title, here.workspace)
    return here


def _if_elsewhere(lead: Lead | None, title: str) -> Lead | None:
    """A link to the next step, unless it leads to what this page shows already."""
    here = lead is not None and PAGES[lead.page][0] == title
    return None if lead and here and all(address.read(name) == value for name, value in lead.params.items()) else lead


def _say_where(workspace: str) -> None:
    """A workspace that does not exist, or another one than the address asks for, is mentioned on every page."""
    asked = address.read(session.WORKSPACE)
    if asked and asked != workspace:
        problem(f"{asked} is not a folder that can be read. Showing {workspace}.", "Choose another folder.")
    elif workspace != SAMPLE_WORKSPACE and not Path(workspace).exists():
        notice(f"The workspace {workspace} does not exist yet. It is created when logs are loaded.")


@section
def terminal(command: Command | None) -> None:
    """End a page: the command that does the same, to copy into a shell; nothing for a command that cannot be told."""
    if command:
        st.space("small")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Do the same from a terminal", width="content")
            copy_button("Copy command", f"copy-{command.stage()}", base_text.command(command.arguments()))
            copy_button("Copy link to this view", f"copy-link-{command.stage()}")
            script_button(command)
        terminal_command(command)
    set_modules_aside()


@dialog("Replace existing data?", icon=":material/warning:")
def confirm_replace(what: str, replace: Callable[[], object]) -> None:
    """Ask before `what` (plain text) is overwritten; on yes call `replace`, then run the page again."""
    say(what)
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Cancel", key="replace-no"):
            st.rerun()
        if st.button("Replace", key="replace-yes", type="primary"):
            replace()
            st.rerun()


def _sidebar() -> str:
    with st.sidebar:
        st.logo(LOGO, size="large")
        workspace = _choose_workspace()
        address.remember()
        with st.container(gap="xxsmall"):
            for script, (label, icon) in PAGES.items():
                st.page_link(script, label=label, icon=icon, width="stretch", query_params=_where_left(label))
        st.toggle(
            "Include secrets",
            key=session.WITH_SECRETS,
            persist_state="session",
            help="In reports and downloads, passwords, tokens and keys are masked. Switch this on to include them.",
        )
        with st.container(gap=None):
            if st.button("Glossary", icon=":material/menu_book:", width="stretch", type="tertiary"):
                _glossary()
            if st.button("Files", icon=":material/folder_managed:", width="stretch", type="tertiary"):
                files(workspace)
            if st.button("Jobs", icon=":material/history:", width="stretch", type="tertiary"):
                jobs_window(workspace)
            keyboard.listen()
        connection.watch()
    return workspace


@dialog("Glossary", icon=":material/menu_book:", width="medium")
def _glossary() -> None:
    """The terms of the pages, as in `docs/glossary.md`."""
    search = st.text_input("Search", key="glossary-search", icon=":material/search:").casefold()
    found = [term for term in TERMS if search in f"{term.name} {term.meaning}".casefold()]
    st.markdown("\n\n".join(f"**{term.name}**  \n{term.meaning}" for term in found) or "No term contains this text.")


def _where_left(title: str) -> dict[str, str]:
    """The address of a page as it was left; choices made in another workspace do not apply."""
    here, left = same_workspace(), address.last(title)
    return left if here.items() <= left.items() else here


def _choose_workspace() -> str:
    options = session.known_workspaces()
    st.session_state[_CHOICE] = session.workspace(options)
    chosen: str = st.selectbox("Workspace", options, format_func=visible, key=_CHOICE, on_change=_enter_chosen)
    if st.button("Another folder", icon=":material/create_new_folder:", width="stretch", type="tertiary"):
        _another_workspace()
    return chosen


def _enter_chosen() -> None:
    session.enter(st.session_state[_CHOICE])


@dialog("Open another folder", icon=":material/create_new_folder:")
def _another_workspace() -> None:
    with st.form("another-workspace", border=False):
        typed = st.text_input("Folder", placeholder="demo/result/mine").strip()
        st.caption("A new folder is created when logs are loaded.")
        asked = st.form_submit_button("Open folder", type="primary")
    browsed = folders.browse("workspaces", settings.read().get("workspaces", []))
    chosen = typed if asked else browsed
    if not chosen:
        return
    if refused := session.refusal(chosen):
        problem(refused)
    else:
        settings.opened_workspace(chosen)
        session.open_another(chosen)
        st.rerun()
