"""The two saved predictions that page Compare shows, and links from their rows to page Explain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

from lo2core.compare.comparison import Comparison
from lo2core.compare.prediction import SavedPrediction
from lo2core.detect.incidents import worst_first
from lo2core.pipeline import compare
from lo2core.store.predictions import home_of, saved_names
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import address, cache, links
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.frame import Frame
from lo2core.ui.shell.scores import Source
from lo2core.ui.shell.widgets import asked_or, empty_state, notice

PREDICT = "pages/4_Predict.py"


@dataclass(frozen=True, eq=False)
class Pair:
    """Two saved predictions by name, and their comparison."""

    here: Frame
    a: str
    b: str
    found: Comparison

    @property
    def workspace(self) -> Workspace:
        return self.here.workspace

    @property
    def key(self) -> str:
        """Distinguishes the widgets of different pairs."""
        return f"{self.a}-{self.b}"

    def home(self, side: int) -> Workspace:
        """The workspace of A (0) or B (1), with the logs that it scored."""
        return home_of(self.workspace, (self.a, self.b)[side])[0]

    def open(self, row: Mapping[str, Any], side: int) -> None:
        """Go to page Explain, to the incident of `row` in A (0) or B (1)."""
        open_in((self.a, self.b)[side], row)


def open_in(name: str, row: Mapping[str, Any]) -> None:
    """Go to page Explain, to the incident of `row` in a saved prediction; to the worst one if `row` is empty."""
    source = Source.named(name)
    links.open_explain(row, prediction=source.prediction, sample=source.sample)


def open_worst(saved: SavedPrediction, where: Mapping[str, Any]) -> None:
    """Go to page Explain, to the sequence with the largest z of a test case, and of a service if `where` has one."""
    wanted = [pl.col(name) == where[name] for name in ("test_case", "service") if name in where]
    rows = worst_first(saved.frame.filter(*wanted))
    for row in rows.head(1).iter_rows(named=True):
        open_in(saved.name, row)


@section
def choose(here: Frame) -> Pair | None:
    """Fields to choose A and B; None, with a hint, if there are fewer than two predictions."""
    names = saved_names(here.workspace)
    if len(names) < 2:
        empty_state(_too_few(names), PREDICT, "Score logs")
        return None
    a, b = _asked("a", names, names[1]), _asked("b", names, names[0])
    left, right, swap = st.columns([5, 5, 1.5], vertical_alignment="bottom")
    with left:
        a = address.choice("A", names, a, lambda name: {"a": name})
    with right:
        b = address.choice("B", names, b, lambda name: {"b": name})
    if a is None or b is None:
        return None
    swap.button("Swap", icon=":material/swap_horiz:", on_click=address.write, args=({"a": b, "b": a},), key="swap")
    if a == b:
        notice("A and B are the same prediction. Choose two different ones.")
        return None
    return Pair(here, a, b, side_by_side(here.workspace, a, b))


def remark(pair: Pair) -> None:
    """A warning about the metrics, if there is one."""
    if pair.found.on_training_data:
        notice(pair.found.on_training_data, icon=":orange[:material/warning:]")


def side_by_side(workspace: Workspace, *names: str) -> Comparison:
    """The comparison of saved predictions, kept until they or their logs change."""
    key = tuple(cache_key(workspace, name) for name in names)
    return cache.COMPARISONS.get(key, lambda: compare.compare_predictions(workspace, names))


def cache_key(workspace: Workspace, name: str) -> tuple[object, ...]:
    """Changes with a saved prediction, and with the logs that it scored."""
    home, table = home_of(workspace, name)
    return (*cache.prediction_key(home, table), *cache.logs_key(home))


def _too_few(names: list[str]) -> str:
    if not names:
        return "A comparison needs two saved predictions, and there is none yet. Score logs first."
    return (
        f"A comparison needs two saved predictions, and {names[0]} is the only one. Score other logs, or the same "
        "logs with another model."
    )


def _asked(name: str, names: list[str], default: str) -> str | None:
    asked = address.read(name)
    return asked_or(asked, default, names, f"There is no prediction {asked} in this workspace.")
