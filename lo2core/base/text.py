"""Numbers, commands and file names as text."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from hashlib import blake2b

_PROGRAM = "python -m lo2core"
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
_BIDI_CONTROLS = "\u202a-\u202e\u2066-\u2069"
# Names, because the API reference shows the parts of the pattern, and neither a control nor a surrogate can be shown.
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029"
_SURROGATES = "\ud800-\udfff"
UNPRINTABLE = re.compile(f"[{_CONTROLS}{_BIDI_CONTROLS}{_SURROGATES}{_NONCHARACTERS}]")
"""Characters that XML forbids, that a terminal obeys, or that change the order in which other characters are shown."""


def plural(n: int, noun: str) -> str:
    """A number with its noun: 1, 'line' -> '1 line'; 1200, 'line' -> '1,200 lines'."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def are(n: int, noun: str) -> str:
    """As `plural`, with the verb: '1 request is', '2 requests are'."""
    return f"{plural(n, noun)} {'is' if n == 1 else 'are'}"


def windows(seconds: float | None) -> str:
    """The parts that test cases were cut into: 60.0 -> 'windows of 60 s', None -> 'whole test cases'."""
    return "whole test cases" if seconds is None else f"windows of {seconds:g} s"


def visible(text: str) -> str:
    """`text` as it is shown, printed and exported: control characters are written as escapes, ESC as `\\x1b`.

    Tab and line feed stay. Replaced are the other control characters (C0, DEL, C1), the line and paragraph separators,
    lone surrogates, noncharacters, and the characters that override the direction of text. Saved tables keep them all.
    """
    return UNPRINTABLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def size(n_bytes: float) -> str:
    """720_000_000 -> '720 MB' (powers of ten, as file managers show them)."""
    for unit, power in (("B", 1), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9)):
        if n_bytes < 999.5 * power:
            return f"{n_bytes / power:.3g} {unit}"
    return f"{n_bytes / 1e12:.3g} TB"


def command(arguments: Iterable[object]) -> str:
    """A `python -m lo2core` command with these arguments, quoted for a shell."""
    return f"{_PROGRAM} {shlex.join(map(str, arguments))}"


def folded_command(arguments: Iterable[object], width: int = 100) -> str:
    """As `command`, but a command longer than `width` continues on further lines, each beginning with an option."""
    parts = [_PROGRAM]
    for word in map(str, arguments):
        if word.startswith("-"):
            parts.append(shlex.quote(word))
        else:
            parts[-1] += f" {shlex.quote(word)}"
    lines = parts[:1]
    for part in parts[1:]:
        if len(f"{lines[-1]} {part}") <= width:
            lines[-1] += f" {part}"
        else:
            lines.append(f"    {part}")
    return " \\\n".join(lines)


def file_name(name: str) -> str:
    """`name` without the characters that a file name cannot contain; a hash keeps changed names unique."""
    clean = re.sub(r"[^A-Za-z0-9._-]", "-", name)[:100].lstrip(".")
    if clean == name:
        return clean
    return f"{clean}_{blake2b(name.encode(errors='surrogatepass'), digest_size=4).hexdigest()}"


def duration(seconds: float) -> str:
    """6.4 -> '6 s'; 200 -> '3 min 20 s'; 4000 -> '1 h 7 min'."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
