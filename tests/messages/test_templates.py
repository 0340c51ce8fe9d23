"""Templates: what is variable, what identifies a fault, frozen templates that travel."""

from __future__ import annotations

import csv
import io
import json
import pickle
import random
import re
import tarfile
from collections import Counter, defaultdict
from pathlib import Path

import polars as pl
import pytest

from lo2core.messages.masks import Masker
from lo2core.messages.templates import Templates, covered

STATUS = "ERROR c.networknt.handler.LightHttpHandler setExchangeStatus - "
CODE = re.compile(r"ERR\d{5}|[A-Z][A-Z0-9]*_[A-Z0-9_]+")


def learned(*messages: str) -> list[str]:
    return Templates().fit(Masker().mask(pl.Series(messages))).texts


@pytest.mark.parametrize(
    ("one", "other", "template"),
    [
        ("block blk_-1608 of 64", "block blk_2 of 7", "block blk_<*> of <*>"),
        ("open /var/log/a.log done", "open /tmp/b-1 done", "open <*> done"),
        (r"open C:\Windows\a.dll done", r"open \\?\C:\b done", "open <*> done"),
        ("get hdfs://10.1.1.1:9000/a/b done", "get https://x.org/c?d=e done", "get <*> done"),
        ("from ns1.example.com closed", "from 10-2-3-4.dsl.example.net closed", "from <*> closed"),
        ("connect to node-7.rack:9000 now", "connect to db2:5432 now", "connect to <*> now"),
        ("took 12 ms", "took 3.5 seconds", "took <*>"),
        ("free 53.5 KB", "free 1 GB", "free <*>"),
        ("mac 00:1b:44:11:3a:b7 up", "mac 10:2b:44:11:3a:07 up", "mac <*> up"),
        ("stack 9f4ef63 a64f992 end", "stack 9f4ef63 end", "stack <*> end"),
        ('lock="View Lock" held', 'lock="x" held', "lock=<*> held"),
        ("ready=true now", "ready=false now", "ready=<*> now"),
        ("started service 'a' now", "started service 'b' now", "started service '<*>' now"),
    ],
)
def test_values_are_variable(one: str, other: str, template: str) -> None:
    assert learned(one, other) == [template]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"code":"ERR12014","message":"NOT_FOUND"}', '{"code":"ERR12015","message":"NOT_FOUND"}'),
        ("UT000038: login of a", "UT000039: login of a"),
        ("result was AUTHENTICATED for /code", "result was CHALLENGE_SENT for /code"),
        ("GET /a done", "POST /a done"),
        ("task moved from NEW to RUNNING", "task moved from NEW to FAILED"),
        ("user 7 accepted by gate", "user 7 rejected by gate"),
        ("sshd startup succeeded", "cupsd startup succeeded"),
        ("a b TOO_LONG c", "a b too_long c"),
    ],
)
def test_what_names_an_event_or_a_fault_is_not_variable(one: str, other: str) -> None:
    assert len(learned(STATUS + one, STATUS + other)) == 2


def test_a_name_is_variable_once_it_has_several_values() -> None:
    names = ("ann", "bob", "eve")
    assert learned(*(f"session closed for user {name}" for name in names[:2])) != ["session closed for user <*>"]
    assert learned(*(f"session closed for user {name}" for name in names)) == ["session closed for user <*>"]


def test_words_for_faults_stay_however_many_values_there_are() -> None:
    verbs = ("failed", "refused", "rejected", "aborted", "lost", "timeout", "denied", "reset")
    assert len(learned(*(f"connection to node {verb}" for verb in verbs))) == len(verbs)


def test_messages_of_random_words_become_one_template() -> None:
    rng = random.Random(5)
    words = ["".join(rng.choices("abcdefghij", k=7)) for _ in range(1200)]
    texts = [
        f"order of {one} went to {two} because {three} says {four}"
        for one, two, three, four in zip(*[iter(words)] * 4, strict=True)
    ]
    assert learned(*texts) == ["order of <*> went to <*> because <*> says <*>"]


def test_level_logger_and_method_are_never_variable() -> None:
    headers = ["DEBUG c.n.Store load", "DEBUG c.n.Store save", "DEBUG c.n.Cache load", "INFO c.n.Store"]
    messages = [f"{header} - of {number}" for header in headers for number in (1, 2)]
    assert learned(*messages) == sorted(f"{header} - of <*>" for header in headers)


def test_match_adds_no_template() -> None:
    templates = Templates().fit(["INFO pool started 7", "user 5 in"])
    before = templates.to_dict()
    assert templates.match(["WARN never seen", "", "user 9 in", "user 9 out"]) == [None, None, 1, None]
    assert templates.to_dict() == before


def test_a_new_status_is_no_match_and_an_item_of_its_own() -> None:
    templates = Templates().fit(["GET /a status: 200 len: 5", "GET /b status: 200 len: 6"])
    assert templates.texts == ["GET <*> status: 200 len: <*>"]
    new = ["GET /c status: 200 len: 7", "GET /c status: 503 len: 7"]
    assert templates.texts_of(new, "?") == ["GET <*> status: 200 len: <*>", "?"]
    assert templates.items_of(new, "?") == ["GET <*> status: 200 len: <*>", "GET <*> status: 503 len: <*>"]


def test_the_order_of_messages_does_not_matter() -> None:
    rng = random.Random(1)
    words = ["load", "store", "of", "key", "x1", "y2", "<UUID>", "FAILED", "a=b", "a=c", "'q'", "/a/b"]
    messages = [" ".join(rng.choices(words, k=rng.randint(0, 6))) for _ in range(150)]
    templates = Templates().fit(messages)
    assert Templates().fit(rng.sample(messages, len(messages))).to_dict() == templates.to_dict()
    assert None not in templates.match(messages)
    matched = templates.match(messages)
    for number, text in enumerate(templates.texts):
        inside = [message for message, found in zip(messages, matched, strict=True) if found == number]
        assert all(covered(text, inside))


def test_templates_survive_json_and_pickle() -> None:
    messages = ["INFO a b", "INFO a c", f"{STATUS}code ERR12014 of a", "", "x1 y status=404"]
    templates = Templates().fit(messages)
    for again in (
        Templates.from_dict(json.loads(json.dumps(templates.to_dict()))),
        pickle.loads(pickle.dumps(templates)),
    ):
        assert again.to_dict() == templates.to_dict()
        assert again.match([*messages, "WARN"]) == templates.match([*messages, "WARN"])


def test_hostile_messages_take_little_time_and_text() -> None:
    pumps = ('"', "=", "(", "a=", "<*>", " a", " 1", "....", "/a", "a.b.", "A", "Jan 1 ", "=\"'", "x:1:")
    messages = [pump * (20_000 // len(pump)) for pump in pumps]
    templates = Templates().fit(messages)
    assert None not in templates.match(messages)
    assert max(map(len, templates.texts)) < 30_000


@pytest.mark.real
def test_real_templates_never_mix_error_codes(labeled: Path) -> None:
    lines = pl.Series(
        [line for path in labeled.rglob("*.log") for line in path.read_text("utf-8", "replace").split("\n")]
    )
    events = lines.str.extract(r"^\d\d:\d\d:\d\d\.\d{3} \[[^\]]*\] .*?((?:TRACE|DEBUG|INFO|WARN|ERROR) .*)$")
    messages = Masker().mask(events.drop_nulls()).unique().to_list()
    templates = Templates().fit(messages)
    codes: dict[int | None, set[tuple[str, ...]]] = defaultdict(set)
    for message, number in zip(messages, templates.match(messages), strict=True):
        codes[number].add(tuple(CODE.findall(message)))
    assert None not in codes
    assert all(len(found) == 1 for found in codes.values())
    assert len(codes) < 0.75 * len(messages)


@pytest.mark.real
def test_real_systems_are_grouped_as_published(real_data: Path) -> None:
    """Grouping accuracy and its F1, as `demo/templates.py` measures them."""
    shares, f1 = [], []
    with tarfile.open(real_data / "loghub-2k.tar.xz") as tar:
        for member in tar:
            if not member.name.endswith("_structured.csv"):
                continue
            rows = list(csv.DictReader(io.TextIOWrapper(tar.extractfile(member), "utf-8")))  # type: ignore[arg-type]  # it is a file
            masked = Masker().mask(pl.Series([row["Content"] for row in rows])).to_list()
            found = Templates().fit(set(masked)).match(masked)
            pairs = Counter(zip(found, (row["EventId"] for row in rows), strict=True))
            ours, theirs = Counter(found), Counter(row["EventId"] for row in rows)
            right = [n for (one, other), n in pairs.items() if n == ours[one] == theirs[other]]
            shares.append(sum(right) / len(rows))
            f1.append(2 * len(right) / (len(ours) + len(theirs)))
    assert sum(shares) / len(shares) > 0.99
    assert sum(f1) / len(f1) > 0.97
