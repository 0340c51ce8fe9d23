"""Seeded damage: bytes, JSON values, names and log lines as nobody would write them, but as files may come."""

from __future__ import annotations

import copy
import json
import os
from random import Random
from typing import Any

from helpers.hostile import ODD_PATHS, ODD_TIMES, ODD_VALUES
from helpers.loglines import line

CONTROL = "\0\x01\x08\x1b[31m\x7f\x85\u2028\u202e\ufeff\ufffe\U0001f4a5"
TEXTS = [*CONTROL, *"	'\"-", "", " ", "<b>", "${x}", "{{", "%s", "`x`", "ä", "日志", "..", "=1+1", "x" * 3000]


def damaged(rng: Random, data: bytes) -> bytes:
    """Data after one to four accidents (cut, repeated, zeroed, overwritten, a bit flipped), often near the end."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        size = len(found)
        at = min(size, max(0, size - rng.randint(0, 200)) if rng.random() < 0.5 else rng.randint(0, size))
        to = min(size, at + rng.choice([1, 2, 4, 8, 100, 5000]))
        match rng.randrange(7):
            case 0:
                del found[at:]
            case 1:
                del found[at:to]
            case 2:
                found[at:at] = found[at:to]
            case 3:
                found[at:to] = bytes(to - at)
            case 4:
                found[at:to] = rng.randbytes(to - at)
            case 5:
                found[at:to] = b"\xff" * (to - at)
            case 6 if size:
                found[at % size] ^= 1 << rng.randrange(8)
    return bytes(found)


def odd_value(rng: Random, depth: int = 3) -> Any:
    """Any JSON value, at times a nested one."""
    match rng.randrange(12):
        case 0 | 1 | 2 | 3:
            return copy.deepcopy(rng.choice(ODD_VALUES))
        case 4:
            return rng.choice(ODD_TIMES)
        case 5:
            return rng.choice(ODD_PATHS)
        case 6:
            return rng.choice([rng.random() * 10 ** rng.randint(-300, 300), rng.randint(-(10**30), 10**30)])
        case 7 if depth:
            return [odd_value(rng, depth - 1) for _ in range(rng.randint(0, 4))]
        case 8 if depth:
            return {rng.choice(TEXTS): odd_value(rng, depth - 1) for _ in range(rng.randint(0, 4))}
    return text(rng)


def odd_json(rng: Random, good: dict[str, Any]) -> bytes:
    """A JSON object with some of its values exchanged, removed or added at any depth; or no JSON at all."""
    if rng.random() < 0.15:
        return damaged(rng, json.dumps(good).encode())
    if rng.random() < 0.1:
        return rng.choice([b"[" * 100_000, b'{"a":' * 50_000, json.dumps(odd_value(rng)).encode()])
    changed = json.loads(json.dumps(good))
    for _ in range(rng.randint(1, 5)):
        _change(rng, changed)
    return json.dumps(changed).encode()


def _change(rng: Random, value: Any) -> None:
    while True:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        if not keys:
            return
        key = rng.choice(list(keys))
        if isinstance(value[key], dict | list) and value[key] and rng.random() < 0.6:
            value = value[key]
            continue
        if isinstance(value, dict) and rng.random() < 0.1:
            del value[key]
        else:
            value[key] = odd_value(rng)
        return


def text(rng: Random) -> str:
    return "".join(rng.choice([*TEXTS, "word", "404", "client", "correct"]) for _ in range(rng.randint(0, 5)))


def name(rng: Random) -> str:
    """A name of a file or folder, which Linux allows; may not be UTF-8."""
    ending = rng.choice(["", ".log", ".gz", ".zip", ".parquet", "\udce9"])
    found = text(rng).replace("/", "_").replace("\0", "") + ending
    return os.fsdecode(os.fsencode(found)[:200]) if found.strip(".") else "x"


def log(rng: Random) -> bytes:
    """The bytes of a log: good lines with text, level and time of any kind, stack traces, garbage, any line end."""
    parts: list[bytes] = []
    for _ in range(rng.randint(0, 30)):
        match rng.randrange(8):
            case 0:
                parts.append(rng.randbytes(rng.randint(0, 80)))
            case 1:
                parts.append(text(rng).encode("utf-8", "surrogateescape") + b"\n")
            case 2:
                parts.append(b"\tat a.b.C(C.java:7)\nCaused by: x\n")
            case 3:
                parts.append(rng.choice([b"\n", b"\r\n", b"\r", b"\0", b"\x85", b"", b"\xe2\x80\xa8"]))
            case _:
                time = rng.choice(["10:00:00.000", "23:59:59.999", "99:99:99.999", "1:2:3", ""])
                level = rng.choice(["DEBUG", "ERROR", "", "LEVEL" * 50, text(rng)])
                parts.append(line(text(rng), time, level).encode("utf-8", "surrogateescape"))
    found = b"".join(parts)
    return damaged(rng, found) if rng.random() < 0.3 else found
