"""Writes a small synthetic LO2 folder with the structure, faults and pitfalls of the real one, for demos and tests.

A test case is a sequence of calls, drawn from shuffled decks (`synthetic_calls`); the deck of a faulty test case
contains some wrong calls. Unlike in the real logs, a correlation id is used by several services.
"""

from __future__ import annotations

import re
import shutil
from base64 import b64encode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import UUID

from lo2core.base.calls import checked_arguments
from lo2core.base.claims import claimed_folder, remove_unclaimed
from lo2core.base.config import NORMAL_TEST_CASE, SEED, SERVICES
from lo2core.base.disk import writing
from lo2core.base.errors import InputError
from lo2core.load.synthetic_calls import CALLS, FAULTS, FIRST_USE, HAZELCAST, RARE, Cards, Step

Record = dict[str, list[tuple[int, str]]]
"""Service -> (milliseconds since 1970, event)."""
FIRST_DAY = 1_735_689_600
DAY = 86_400
DAYS = 6
"""Default number of runs, one per day."""
SECONDS = 6
SECONDS_CORRECT = 36
LEAD = 15
"""Seconds from the start of a run to its first call."""
GAPS = (4, 12, 22, 33, 45, 59, 75, 94, 116, 145, 183, 264)
"""Milliseconds between calls: quantiles of an exponential distribution, rounded here, since platforms differ."""
_UNFINISHED = "sample"
"""In a folder that exists, the sample is written to a temporary folder of this name first."""


@checked_arguments
def write_sample(output_dir: str | Path, seed: int = SEED, runs: int = DAYS) -> Path:
    """Write a synthetic LO2 folder, about 2.5 MB per run, and return its path.

    Each run contains `correct` (36 s), two or three repetitions of it and one test case per fault (6 s each). The last
    run crosses midnight UTC. The same seed and number of runs give the same bytes on every machine. What a killed
    process has written to `output_dir` is replaced. Raises InputError if `output_dir` is a file or not empty, and for
    `runs` below 1.

    Examples:
        >>> from lo2core import write_sample
        >>> logs = write_sample("logs", runs=1)
        >>> sorted(path.name for path in logs.glob("*/correct/*client*"))
        ['light-oauth2-oauth2-client-1.log']
    """
    output_dir = Path(output_dir)
    if runs < 1:
        raise InputError(f"The sample needs at least one run, found {runs}. Give a number of 1 or more.")
    try:
        with writing(output_dir):
            _fill(output_dir, runs, lambda folder: _write_runs(folder, Random(seed), runs))
    except OSError as error:
        raise InputError(
            f"The sample cannot be written to {output_dir}: {error.strerror}. Choose another folder."
        ) from error
    return output_dir


def _fill(output_dir: Path, runs: int, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary folder, then rename it, or if there is an empty folder already, what is in it."""
    is_there = output_dir.is_dir()
    if is_there:
        remove_unclaimed(output_dir, _UNFINISHED, first=lambda: _remove_runs(output_dir, runs))
    else:
        remove_unclaimed(output_dir.parent, output_dir.name)
    if output_dir.exists() and (not is_there or any(output_dir.iterdir())):
        raise InputError(f"The sample needs a new or empty folder, and {output_dir} is neither. Choose another folder.")
    output_dir.parent.mkdir(parents=True, exist_ok=True)
    claim = claimed_folder(output_dir / _UNFINISHED if is_there else output_dir)
    try:
        write(claim.path)
        for path in sorted(claim.path.iterdir()) if is_there else ():
            path.rename(output_dir / path.name)
        if not is_there:
            claim.path.rename(output_dir)
    finally:
        claim.end()


def _remove_runs(folder: Path, runs: int) -> None:
    """Remove the runs that a killed process had moved into a folder, which was empty when it began."""
    for path in folder.iterdir():
        if is_sample(path.name, runs):
            shutil.rmtree(path)


def _write_runs(folder: Path, rng: Random, runs: int) -> None:
    for number in range(runs):
        time_of_day = DAY - LEAD - 20 if number == runs - 1 else rng.randrange(7 * 3600, 22 * 3600)
        _write_run(folder, rng, FIRST_DAY + number * DAY + time_of_day, repetitions=3 if number % 3 == 2 else 2)


def is_sample(run: str, runs: int = DAYS) -> bool:
    """Whether a run has a name that `write_sample` gives, with any seed: its start is in the first days of 2025."""
    match = re.fullmatch(r"light-oauth2-data-([0-9]{9,11})", run)
    return match is not None and FIRST_DAY <= int(match[1]) < FIRST_DAY + runs * DAY


def _write_run(output_dir: Path, rng: Random, epoch: int, repetitions: int) -> None:
    run = output_dir / f"light-oauth2-data-{epoch}"
    others = [*FAULTS, *(f"{NORMAL_TEST_CASE}_{n}" for n in range(1, repetitions + 1))]
    rng.shuffle(others)
    fresh = set(SERVICES)
    at = (epoch + LEAD) * 1000
    for test_case in (NORMAL_TEST_CASE, *others):
        seconds = SECONDS_CORRECT if test_case == NORMAL_TEST_CASE else SECONDS
        wrong = [FAULTS[test_case]] if test_case in FAULTS else []
        _write_logs(run / test_case, _play(rng, at, seconds, [*CALLS, *wrong], fresh))
        at += seconds * 1000 + rng.randrange(1500, 2500)
    _write_locust(run / NORMAL_TEST_CASE, (epoch + LEAD) * 1000)


def _play(rng: Random, start: int, seconds: int, calls: list[Cards], fresh: set[str]) -> Record:
    """One test case: calls at random intervals, drawn from one shuffled deck after the other."""
    record: Record = defaultdict(list)
    deck: list[tuple[Step, ...]] = []
    rare = _shuffled(rng, _cards(RARE))
    at = start
    while at < start + seconds * 1000:
        if not deck:
            surprise = [rare.pop()] if rare and rng.randrange(2) else []
            deck = _shuffled(rng, _cards(calls) + surprise)
        for service, moment, event in _call(rng, at, deck.pop(), fresh):
            record[service].append((moment, event))
        at += rng.choice(GAPS)
    return record


def _shuffled(rng: Random, cards: list[tuple[Step, ...]]) -> list[tuple[Step, ...]]:
    return rng.sample(cards, len(cards))


def _cards(calls: Iterable[Cards]) -> list[tuple[Step, ...]]:
    return [tuple(steps) for cards, *steps in calls for _ in range(cards)]


def _call(rng: Random, at: int, steps: tuple[Step, ...], fresh: set[str]) -> Iterator[tuple[str, int, str]]:
    """The events of a call: service, milliseconds, event with its header. Removes services that log from `fresh`."""
    values = _values(rng)
    for place, *events in steps:
        if place == HAZELCAST:
            service = rng.choice(SERVICES)
            origin = f"[hz._hzInstance_1_dev.partition-operation.thread-{rng.randrange(16)}]  "
        else:
            service = place
            origin = f"[XNIO-1 task-{rng.randrange(1, 4)}]  {values['correlation']}"
        first = FIRST_USE if service in fresh else ()
        fresh.discard(service)
        for event in (*first, *events):
            at += rng.choice((0, 0, 0, 1, 1, 2))
            filled = re.sub(r"<(\w+)>", lambda name: values.get(name[1], name[0]), event)
            yield service, at, f"{_clock(at)} {origin} {filled}"


def _values(rng: Random) -> dict[str, str]:
    """The values that are unique to a call: ids, credentials, tokens."""
    uuid, secret, correlation, code = (UUID(int=rng.getrandbits(128), version=4) for _ in range(4))
    claims = b'{"jti":"%032x"}' % code.int
    return {
        "uuid": str(uuid),
        "secret": str(secret),
        "correlation": _base64(correlation.bytes),
        "code": _base64(code.bytes),
        "hex": f"{rng.getrandbits(32):08x}",
        "basic": b64encode(f"{uuid}:{_base64(secret.bytes)}".encode()).decode(),
        "challenge": _base64(rng.randbytes(32)),
        "jwt": ".".join(_base64(part) for part in (b'{"alg":"RS256"}', claims, rng.randbytes(48))),
    }


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _clock(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment // 1000, UTC):%H:%M:%S}.{moment % 1000:03d}"


def _write_logs(folder: Path, record: Record) -> None:
    folder.mkdir(parents=True)
    for service in SERVICES:
        in_time = [event for _, event in sorted(record[service], key=lambda entry: entry[0])]
        text = "".join(f"{event}\n" for event in in_time)
        (folder / f"light-oauth2-oauth2-{service}-1.log").write_bytes(text.encode())


def _write_locust(folder: Path, start: int) -> None:
    stamp = f"{datetime.fromtimestamp(start // 1000, UTC):%Y-%m-%d %H:%M:%S},{start % 1000:03d}"
    lines = ("Starting Locust 2.47.0", f"Run time limit set to {SECONDS_CORRECT} seconds")
    text = "".join(f"[{stamp}] vm/INFO/locust.main: {line}\n" for line in lines)
    (folder / "locust.log").write_bytes(text.encode())
