"""Explain a model: what it looks at in each service, how its normals scored, what no normal holds; and its false alarms."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from lo2core import charts, importance, incidents
from lo2core.explain import Evidence
from lo2core.ui import address, scores
from lo2core.ui.logtable import lines_view
from lo2core.ui.scores import Scores
from lo2core.ui.widgets import downloads, notice
