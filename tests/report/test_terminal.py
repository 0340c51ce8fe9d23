"""Text for a terminal."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from lo2core.base.schemas import GroupedIncidents, Groups, Triage
from lo2core.explain import triage
from lo2core.explain.groups import Grouping
from lo2core.report import terminal


def test_groups_are_a_table_with_aligned_columns() -> None:
    facts = {"codes": [], "items": [1], "requests": [], "first": datetime(2026, 1, 1), "last": datetime(2026, 1, 1)}
    rows = [
        {"group": 1, "service": "refresh-token", "title": "refused", "incidents": 1200, "runs": 5, "z_score": 102.25},
        {"group": 10, "service": "key", "title": "gone", "incidents": 1, "runs": 1, "z_score": 3.0},
    ]
    groups = pl.DataFrame([row | facts for row in rows], schema=Groups.create_empty().schema)
    judged = triage.judged_groups(Triage.create_empty(), groups)
    _, *lines = terminal.groups(Grouping(judged, GroupedIncidents.create_empty())).splitlines()
    assert lines == [
        "group  incidents  runs      z  state  service        what they have in common",
        "    1      1,200     5  102.2  new    refresh-token  refused",
        "   10          1     1    3.0  new    key            gone",
    ]
