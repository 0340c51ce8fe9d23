"""The values behind the placeholders of a template, as a table."""

from __future__ import annotations

import polars as pl
import streamlit as st

from lo2core.ui.shell import tables
from lo2core.ui.shell.widgets import downloads

_COLUMNS = {
    "placeholder": st.column_config.TextColumn("placeholder", width=100),
    "after": st.column_config.TextColumn("after", width=150, help="The text in front of it"),
    "distinct": st.column_config.NumberColumn("values", width=60, format="localized", help="How many different ones"),
    "often": st.column_config.TextColumn("most frequent (times)", width=230),
    "length": st.column_config.TextColumn("characters", width=80),
    "normal_distinct": st.column_config.NumberColumn("in normals", width=75, format="localized"),
    "normal_often": st.column_config.TextColumn("most frequent in normals", width=200),
    "differs": st.column_config.TextColumn("what differs", width=230),
    "fresh": st.column_config.TextColumn("in no normal", width=150),
}


def show_values(values: pl.DataFrame, stem: str, key: str) -> None:
    """`explain.values.compared_values` with downloads."""
    view = values.with_columns(
        often=pl.col("most_frequent").list.join(", "),
        normal_often=pl.col("normal_most_frequent").list.join(", "),
        fresh=pl.col("examples").list.join(", "),
        length=pl.when(pl.col("shortest") == pl.col("longest"))
        .then(pl.col("shortest").cast(pl.String))
        .otherwise(pl.format("{} to {}", "shortest", "longest")),
    )
    tables.show(view, _COLUMNS)
    downloads(values, stem, key=key, what="Values")
