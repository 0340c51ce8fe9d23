"""Reads large logs in pieces, so that memory does not grow with the size of a file.

A piece ends where an event ends, and times continue those of the piece before. The result is that of reading the file
at once, but that the format of each piece is recognised by its own lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import polars as pl
import polars.selectors as cs

from lo2core.load.compression import log_pieces
from lo2core.load.formats.custom import chosen
from lo2core.load.ledger import with_damages
from lo2core.load.log_file import TABLE, LogFile
from lo2core.load.parse import decode, is_rewritten, is_utf16, parse
from lo2core.load.plan import LoadOptions
from lo2core.load.read import Loaded, read_texts, with_requests
from lo2core.load.whole import LARGE, TIMES_RECORDS, check_whole
from lo2core.messages.counts import MessageCounts, request_kinds
from lo2core.messages.masks import Masker

PIECE = 8 << 20
_TAIL_LINES = 400
"""Lines at the end of a piece in which its last event is looked for first."""


def is_large(file: LogFile, options: LoadOptions) -> bool:
    """Whether a log is read in pieces. Windows need all logs of a folder at once."""
    whole = options.window or file.container or file.layout == TABLE
    return bool(not whole and file.text_bytes > LARGE)


def read_in_pieces(file: LogFile, options: LoadOptions, masker: Masker) -> Iterator[tuple[int, Loaded]]:
    """The bytes of each piece and what it contains; the sequence, its requests and the ledger come with the last one.

    Raises InputError as `compression.pieces`.
    """
    sequences, rows, requests = [], [], []
    damages = [file.damage] if file.damage else []
    lines, epoch = 0, file.epoch
    for data in _whole_events(file, log_pieces((*file.older, file.path), damages), options):
        loaded, events = read_texts([file], [data], options, masker, epoch)
        options = replace(options, skip_init_lines=0)
        requests.append(events.drop_nulls("correlation_id").with_columns(pl.col("correlation_id").hash()).unique())
        sequences.append(loaded.sequences)
        rows.append(loaded.ledger)
        epoch = _last_time(loaded.events) or epoch
        numbered = loaded.events.with_columns(pl.col("line_no") + lines)
        lines += int(loaded.ledger["lines"][0])
        empty = loaded.sequences.clear(), loaded.ledger.clear()
        yield len(data), Loaded(numbered, *empty, loaded.items)
    kinds = request_kinds(pl.concat(requests))
    nothing = MessageCounts(loaded.items.messages.clear(), loaded.items.counts.clear())
    row = with_damages(_one_row(rows), ["; ".join(damages) or None])
    last = Loaded(numbered.clear(), _one_sequence(sequences), row, nothing)
    yield 0, with_requests(last, kinds)


def _last_time(events: pl.DataFrame) -> datetime | None:
    found: datetime | None = events.select(pl.col("m_timestamp").drop_nulls().last()).item()
    return found


def _one_sequence(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The sequence of a file from those of its pieces."""
    every = pl.concat(parts)
    if not every.height:  # none of its lines is in the period to read
        return every
    facts = every.select(
        pl.col("start_time").min(), pl.col("end_time").max(), *(pl.col(n).sum() for n in ("events", "lines", "bytes"))
    )
    return every.head(1).with_columns(facts.get_columns())


def _one_row(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The ledger row of a file from those of its pieces: sums of numbers, and the first of what is known."""
    every = pl.concat(parts).sort(pl.col("status") == "not chosen", maintain_order=True)
    summed = pl.when(cs.numeric().count() > 0).then(cs.numeric().sum()).name.keep()
    first = (~cs.numeric() & ~cs.boolean()).drop_nulls().first()
    return every.select(summed, cs.boolean().any(), first).select(every.columns)


def _whole_events(file: LogFile, content: Iterator[bytes], options: LoadOptions) -> Iterator[bytes]:
    """The content of a log in pieces of about `PIECE` bytes that end where an event ends.

    Records that are no lines are not cut. Raises InputError if there is not enough memory for them.
    """
    kept, enough = b"", PIECE
    rewritten: bool | None = None
    for data in content:
        kept += data
        if len(kept) < enough:
            continue
        if rewritten is None:
            rewritten = is_rewritten(kept)
            if rewritten:
                check_whole(file.source, file.text_bytes, TIMES_RECORDS)
        if rewritten:
            enough = 2 * len(kept)
            continue
        if cut := _last_event(kept, options):
            yield kept[:cut]
            kept, enough = kept[cut:], PIECE
        else:
            enough = 2 * len(kept)
    yield kept


def _last_event(data: bytes, options: LoadOptions) -> int:
    """Where the last event begins of which the end is certain, in bytes; 0 if there is none.

    It is looked for in the last lines, then in all of them. In UTF-16, and where lines end with a carriage return only,
    none is found.
    """
    if is_utf16(data):
        return 0
    end = data.rfind(b"\n") + 1
    for most in (_TAIL_LINES, None):
        lines = data[:end].rsplit(b"\n", most)[1:] if most else data[:end].split(b"\n")
        text, _ = decode(b"\n".join(lines))
        if text.count("\n") != len(lines) - 1:
            return 0
        found = parse([text], formats=chosen(options.formats, options.described)).events["line_no"]
        if found.len() > 1:
            return end - sum(len(line) + 1 for line in lines[int(found[-1]) - 1 :]) + 1
    return 0
