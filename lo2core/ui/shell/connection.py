"""What a page says while its server does not answer: how to start it again, in place of Streamlit's own window."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_connection = st.components.v2.component("lo2core.connection", js=(Path(__file__).parent / "connection.js").read_text())


def watch() -> None:
    """Show a box while the connection is lost; once on a page."""
    _connection(key="connection", height="content")
