"""Drain: the grouping of drain3, constants as keys, a frozen state that travels."""

from __future__ import annotations

import json
import pickle
import random
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import drain3.drain
import polars as pl
import pytest

from lo2core.base.errors import InputError
from lo2core.messages.drain import WILDCARD, Drain
from lo2core.messages.hashing import content_hash
from lo2core.messages.masks import Masker

ROOT = Path(__file__).parents[2]
STATUS = "ERROR c.networknt.handler.LightHttpHandler setExchangeStatus - "
CONSTANT = re.compile(r"[A-Z][A-Z0-9]*_[A-Z0-9_]+|[A-Z]{2,}-?\d{5,}|(?<![<A-Z])[A-Z]{8,}")


def messages_of(folder: Path) -> list[str]:
    """The sorted distinct masked messages of all events below the folder."""
    lines = pl.Series(
        [line for path in folder.rglob("*.log") for line in path.read_text("utf-8", "replace").split("\n")]
    )
    events = lines.str.extract(
        r"^\d\d:\d\d:\d\d\.\d{3} \[[^\]]*\] .*?((?:TRACE|DEBUG|INFO|WARN|ERROR) .*)$"
    ).drop_nulls()
    return sorted(Masker().mask(events).unique())


def drain3_of(messages: Sequence[str], **settings: float) -> drain3.drain.Drain:
    theirs = drain3.drain.Drain(**settings)
    for message in messages:
        theirs.add_log_message(message)
    return theirs


def assert_equal_to_drain3(messages: Sequence[str], similarity: float, depth: int, max_children: int) -> None:
    ours = Drain(similarity, depth, max_children).fit(messages)
    theirs = drain3_of(messages, sim_th=similarity, depth=depth, max_children=max_children)
    assert ours.templates == [cluster.get_template() for cluster in theirs.clusters]
    matched = [theirs.match(message, full_search_strategy="fallback") for message in messages]
    assert ours.match(messages) == [cluster and cluster.cluster_id - 1 for cluster in matched]


def test_variable_tokens_become_wildcards() -> None:
    drain = Drain().fit(["DEBUG store Load of a1 done", "DEBUG store Load of b2 done"])
    assert drain.templates == [f"DEBUG store Load of {WILDCARD} done"]
    assert drain.match(["DEBUG store Load of c3 done"]) == [0]


def test_match_never_makes_a_template() -> None:
    drain = Drain().fit(["INFO pool started", "INFO pool stopped"])
    before = drain.to_dict()
    assert drain.match(["WARN never seen before", "INFO disk full", "", "INFO pool closed"]) == [None, None, None, 0]
    assert drain.to_dict() == before


def test_fit_starts_anew() -> None:
    drain = Drain().fit(["INFO one two", "WARN three"])
    assert drain.fit(["INFO four five"]).templates == ["INFO four five"]


def test_the_empty_message_has_one_template() -> None:
    assert Drain().fit(["", "  ", "a"]).match(["", " ", "a"]) == [0, 0, 1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            '{"statusCode":404,"code":"ERR12014","message":"CLIENT_NOT_FOUND","description":"Client none is missing"',
            '{"statusCode":404,"code":"ERR12013","message":"USER_NOT_FOUND","description":"User none is missing"',
        ),
        ('{"code":"ERR12014"} a b c d e', '{"code":"ERR12015"} a b c d e'),
        ("UT000038: Authentication failed for a", "UT000039: Authentication failed for a"),
        ("Authentication result was AUTHENTICATED for /code", "Authentication result was CHALLENGE_SENT for /code"),
        ("Authentication result was AUTHENTICATED for /code", "Authentication result was TERMINATED for /code"),
        ("a b c d TOO_LONG e", "a b c d e TOO_LONG"),
        ("a b c d TOO_LONG e", "a b c d too e"),
    ],
)
def test_different_constants_never_share_a_template(one: str, other: str) -> None:
    messages = [STATUS + one, STATUS + other]
    drain = Drain(similarity=0.1).fit(messages)
    assert drain.templates == messages
    assert drain.match(messages) == [0, 1]


def test_a_new_constant_matches_nothing() -> None:
    drain = Drain().fit([f"{STATUS}code ERR12014 of a", f"{STATUS}code ERR12014 of b"])
    assert drain.templates == [f"{STATUS}code ERR12014 of {WILDCARD}"]
    assert drain.match([f"{STATUS}code ERR12014 of c", f"{STATUS}code ERR99999 of a"]) == [0, None]


@pytest.mark.parametrize("token", ["<CREDENTIALS>", "<DURATION>", "<UUID>", "GET", "ERROR", "SHA512"])
def test_masks_levels_and_short_words_are_no_constants(token: str) -> None:
    assert Drain().fit([f"DEBUG a b c {token}", "DEBUG a b c other"]).templates == [f"DEBUG a b c {WILDCARD}"]


def test_equal_to_drain3_on_many_shapes() -> None:
    rng = random.Random(1)
    words = ["load", "store", "delete", "x1", "y2", "of", "key", "null", "<UUID>", WILDCARD]
    for max_children in (2, 3, 100):
        for depth in (3, 4, 6):
            messages = [" ".join(rng.choices(words, k=rng.randint(0, 6))) for _ in range(150)]
            assert_equal_to_drain3(messages, rng.choice([0.2, 0.4, 0.7]), depth, max_children)


def test_every_fitted_message_is_covered() -> None:
    rng = random.Random(2)
    messages = [" ".join(rng.choices(["a", "b", "c3", "D_E", "F_G"], k=rng.randint(1, 5))) for _ in range(400)]
    drain = Drain(similarity=0.3, depth=5, max_children=2).fit(messages)
    covers = [drain.templates[index].split() for index in drain.match(messages) if index is not None]
    assert len(covers) == len(messages)
    for template, message in zip(covers, messages, strict=True):
        assert all(ours in (WILDCARD, theirs) for ours, theirs in zip(template, message.split(), strict=True))


def test_state_survives_json_and_pickle() -> None:
    messages = ["INFO a b", "INFO a c", f"{STATUS}code ERR12014 of a", "", "x1 y"]
    drain = Drain(0.5, 5, 7).fit(messages)
    for again in (Drain.from_dict(json.loads(json.dumps(drain.to_dict()))), pickle.loads(pickle.dumps(drain))):
        assert again.to_dict() == drain.to_dict()
        assert again.match([*messages, "INFO a d", "WARN"]) == drain.match([*messages, "INFO a d", "WARN"])


def test_another_process_matches_alike(tmp_path: Path) -> None:
    messages = [f"DEBUG store Load of {word} done" for word in "abcd"] + ["INFO x", f"{STATUS}code ERR12014 of a"]
    asked = [*messages, "DEBUG store Load of z done", "INFO never", f"{STATUS}code ERR12015 of a"]
    drain = Drain().fit(messages)
    state = tmp_path / "drain.json"
    state.write_text(json.dumps([drain.to_dict(), asked]))
    code = (
        "import json, sys; from lo2core.messages.drain import Drain; "
        "from lo2core.messages.hashing import content_hash\n"
        "state, asked = json.load(open(sys.argv[1])); drain = Drain.from_dict(state)\n"
        "print(json.dumps([drain.match(asked), [content_hash(t) for t in drain.templates]]))"
    )
    run = subprocess.run([sys.executable, "-c", code, state], capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == [drain.match(asked), [content_hash(text) for text in drain.templates]]


def test_template_id_is_a_fixed_64_bit_hash() -> None:
    assert content_hash("DEBUG a <*>") == content_hash("DEBUG a <*>") != content_hash("DEBUG b <*>")
    assert content_hash("") == 13020603013274838756


def test_a_depth_without_room_for_templates_is_refused() -> None:
    with pytest.raises(InputError, match=r"depth of at least 3, found 2"):
        Drain(depth=2)


def test_a_thousand_messages_become_forty_templates() -> None:
    verbs = [f"{first}{second}" for first in "abcdefghij" for second in "klmn"]
    messages = [
        f"DEBUG logger {verb} of the {verb} with {value} done"
        for verb in verbs
        for value in "opqrstuvwxyzABCDEFGHIJKLM"
    ]
    drain = Drain(similarity=0.7).fit(messages)
    matched = drain.match(messages * 10)
    assert (len(messages), len(set(matched))) == (1000, 40)


def test_level_logger_and_method_are_never_masked_away() -> None:
    headers = [
        "DEBUG c.n.Store load",
        "DEBUG c.n.Store save",
        "DEBUG c.n.Cache load",
        "INFO c.n.Store load",
        "INFO c.n.Store",
    ]
    messages = [f"{header} - of {word}" for header in headers for word in ("one", "two")]
    drain = Drain(similarity=0.1).fit(messages)
    assert drain.templates == [f"{header} - of {WILDCARD}" for header in headers]
    assert drain.match(["DEBUG c.n.Store load - of three", "DEBUG c.n.Store drop - of one"]) == [0, None]


@pytest.mark.real
def test_equal_to_drain3_on_the_real_messages_of_each_method_without_constants(labeled: Path) -> None:
    contents: dict[str, list[str]] = {}
    for message in messages_of(labeled):
        header, _, content = message.partition(" - ")
        if not CONSTANT.search(content):
            contents.setdefault(header, []).append(content)
    assert max(map(len, contents.values())) > 20
    for ordered in contents.values():
        for order in (ordered, random.Random(4).sample(ordered, len(ordered))):
            assert_equal_to_drain3(order, 0.4, 4, 100)
            assert_equal_to_drain3(order, 0.9, 5, 3)


@pytest.mark.real
def test_real_templates_never_mix_constants(labeled: Path) -> None:
    messages = messages_of(labeled)
    drain = Drain().fit(messages)
    held: dict[int | None, set[tuple[str, ...]]] = {}
    for message, index in zip(messages, drain.match(messages), strict=True):
        held.setdefault(index, set()).add(tuple(CONSTANT.findall(message)))
    assert None not in held
    assert all(len(constants) == 1 for constants in held.values())
    assert len({content_hash(text) for text in drain.templates}) == len(drain.templates) < 0.7 * len(messages)
