"""All colours of charts, legible on light and dark pages: marks have a contrast of at least 3:1, text of 4.5:1.

A colour of `PALETTE` always means a service, and nothing else has one. Whatever else is compared has the colours of
`KINDS`, and differs in shape, dashes or text as well.
"""

from __future__ import annotations

PALETTE = ("#4b78f5", "#829a04", "#b2279a", "#1e98da", "#be7ca2", "#0ba553", "#3e7254")
"""Colours of services, distinguishable with protanopia and deuteranopia."""

NEUTRAL = "#7d8694"
"""The grey of rules and unimportant marks."""

TEAL, ORANGE, RED, VIOLET, TAN = KINDS = ("#12858f", "#d9731a", "#cc0731", "#6450df", "#a78b6f")
"""Colours of models, detectors and kinds of lines; the first one also of bars that need no colour."""

TEXT = "currentColor"
"""The colour of text: that of the page around the chart, as no colour is legible on light and dark pages."""

NORMAL, FAULTY, UNLABELLED = "normal", "faulty", "no label"
LABEL_COLOURS = {NORMAL: TEAL, FAULTY: ORANGE, UNLABELLED: NEUTRAL}

CHANGE_COLOURS = (RED, NEUTRAL, ORANGE, TEAL)
"""Sequences flagged in both predictions, in neither, in B only, in A only."""
LEDGER_COLOURS = (TEAL, VIOLET, ORANGE, NEUTRAL, TAN, RED)
"""Kinds of lines: events, continuations, orphans, blank, skipped, not chosen."""
LEVELS = {
    **dict.fromkeys(("ERROR", "FATAL", "SEVERE", "CRITICAL"), RED),
    **dict.fromkeys(("WARN", "WARNING"), ORANGE),
    **dict.fromkeys(("INFO", "NOTICE"), TEAL),
}
"""The colour of each level; all others are grey."""

ON_RAMP = "#ffffff"
"""Text on the two ramps."""
SHARE_RAMP = ["#6a7480", "#5b3f8c", "#3c1361"]
"""From 0 to 1."""
DIFFERENCE_RAMP = ["#a3500f", "#6a7480", "#2c5fb3"]
"""Less (orange), equal (grey), more (blue)."""
