"""The values behind the placeholders of messages, and what is remarkable about them."""

from __future__ import annotations

import polars as pl
import pytest

from lo2core.explain.values import FEW, compared_values, values_behind
from lo2core.messages.masks import Masker
from lo2core.messages.templates import Templates

LINES = pl.Series(
    [
        "INFO a.B run - user 12345 from 10.0.0.7 took 12 ms",
        "INFO a.B run - user 12345 from 10.0.0.8 took 7 ms",
        "INFO a.B run - user 98765 from 10.0.0.7 took 12 ms",
        "INFO a.B run - something else",
    ]
)
TEXT = "INFO a.B run - user <NUM> from <IP> took <DURATION>"


def test_values_are_counted_at_each_placeholder() -> None:
    assert Masker().mask(LINES)[0] == TEXT
    assert values_behind(TEXT, LINES).select("position", "placeholder", "value", "n").rows() == [
        (1, "<NUM>", "12345", 2),
        (1, "<NUM>", "98765", 1),
        (2, "<IP>", "10.0.0.7", 2),
        (2, "<IP>", "10.0.0.8", 1),
        (3, "<DURATION>", "12 ms", 2),
        (3, "<DURATION>", "7 ms", 1),
    ]


def test_templates_have_values_too() -> None:
    (template,) = Templates().fit(["disk /dev/sda1 (50 %) is full", "disk /dev/sdb1 (51 %) is full"]).texts
    lines = pl.Series(["disk /dev/sda1 (50 %) is full", "disk /dev/sdb1 (51 %) is full"])
    assert set(values_behind(template, lines)["n"]) == {1}
    assert values_behind(template, lines).height


@pytest.mark.parametrize("text", ["no placeholder", "", "<NUM>" * 500, "a" * 3000 + "<NUM>", "(((<NUM>"])
def test_no_text_is_too_odd(text: str) -> None:
    assert values_behind(text, pl.Series(["a", None])).height == 0


def test_what_no_normal_has_is_remarkable_where_normals_have_few_values() -> None:
    normal = pl.Series([f"status={n} id={i}" for n in (200, 201) for i in range(FEW + 1)])
    here = pl.Series(["status=200 id=7", "status=503 id=1234567890"])
    found = compared_values(values_behind("status=<A> id=<B>", here), values_behind("status=<A> id=<B>", normal))
    assert found.select("distinct", "normal_distinct", "new").rows() == [(2, 2, 1), (2, FEW + 1, 1)]
    assert found["differs"].to_list() == [
        "1 of 2 values are in no normal",
        "up to 10 characters, in normals up to 2",
    ]
    assert found["examples"][0].to_list() == ["503"]
    assert found["after"].to_list() == ["status=", "id="]


def test_a_message_that_no_normal_has_says_so() -> None:
    found = compared_values(values_behind("a <N>", pl.Series(["a 1"])), values_behind("a <N>", pl.Series(["b 1"])))
    assert found["differs"].to_list() == ["no normal has this message"]
