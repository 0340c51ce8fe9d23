"""Numbers in sentences."""

from __future__ import annotations


def plural(n: int, noun: str) -> str:
    """1, 'line' -> '1 line'; 1200, 'line' -> '1,200 lines'."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def are(n: int, noun: str) -> str:
    """As `plural`, with its verb: '1 request is', '2 requests are'."""
    return f"{plural(n, noun)} {'is' if n == 1 else 'are'}"
