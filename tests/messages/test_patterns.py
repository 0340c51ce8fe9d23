"""Patterns that people type are never slow, and ordinary ones mean what they mean in Python."""

from __future__ import annotations

import ast
import json
import pickle
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, astuple, replace
from pathlib import Path
from typing import Literal

import polars as pl
import pytest

import lo2core
from lo2core.base.errors import InputError
from lo2core.messages.masks import DEFAULT_RULES, Masker, MaskRule, user_rule
from lo2core.messages.patterns import linear_pattern, search_pattern

BACKTRACKS = r"([\w.\-/]+\s*)+#"
"""Takes Python's `re` longer than the universe exists for some 60 characters."""

TYPED = {
    ("messages/patterns.py", "polars"): 2,  # the check itself
    ("messages/replace.py", "polars"): 2,  # masks: page Enhance, --mask, tables, models, Masker(rules)
    ("messages/masks.py", "polars"): 2,  # whether a mask matches the empty text; several default masks in one search
    ("load/formats/reading.py", "polars"): 1,  # --format
    ("load/formats/lines.py", "polars"): 4,  # the same
    ("load/formats/matching.py", "polars"): 1,  # the same
    ("load/template.py", "polars"): 1,  # --layout
    ("detect/evaluation/faults.py", "polars"): 1,  # --concerns
    ("pipeline/search.py", "polars"): 2,  # search in lines
    ("pipeline/search_rows.py", "polars"): 5,  # the same
    ("ui/enhance/templates.py", "polars"): 1,  # search in templates
}
"""Where a pattern is used that a person can type, or that comes from a file: all of these take it from
`linear_pattern`."""

OURS = {
    ("explain/values.py", "polars"): 1,
    ("load/event_tables.py", "polars"): 1,
    ("load/formats/matching.py", "re"): 1,
    ("load/formats/objects.py", "re"): 2,
    ("load/formats/proposal.py", "re"): 1,
    ("load/formats/stamps.py", "re"): 1,
    ("load/formats/wrappers.py", "polars"): 4,
    ("messages/masks.py", "re"): 1,
    ("messages/salience.py", "polars"): 3,
    ("messages/secrets.py", "polars"): 2,
    ("messages/titles.py", "polars"): 1,
    ("store/changes.py", "re"): 1,
}
"""Where a pattern of our own is put together from constants."""


def variables(pattern: ast.AST) -> set[str]:
    """The names in the expression that are no constants; what `re.escape` returns is a plain text."""
    if isinstance(pattern, ast.Call) and ast.unparse(pattern.func) == "re.escape":
        return set()
    own = {pattern.id} if isinstance(pattern, ast.Name) and not pattern.id.isupper() else set()
    return own.union(*map(variables, ast.iter_child_nodes(pattern)))


def engines(module: Path) -> Iterator[str]:
    """The engine of each call, of `re` or of polars, with a pattern that is not a constant."""
    names = ("contains", "count_matches", "extract", "extract_all", "extract_groups", "find", "replace", "replace_all")
    for node in ast.walk(ast.parse(module.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        owner, pattern = ast.unparse(node.func.value), node.args[0]
        literal = any(keyword.arg == "literal" and ast.unparse(keyword.value) == "True" for keyword in node.keywords)
        if literal or node.func.attr == "escape" or not variables(pattern):
            continue
        if owner == "re":
            yield "re"
        elif owner.endswith(".str") and node.func.attr in names:
            yield "polars"


def test_every_place_that_uses_a_typed_pattern_is_known() -> None:
    root = Path(lo2core.__file__).parent
    found = Counter(
        (path.relative_to(root).as_posix(), engine) for path in root.rglob("*.py") for engine in engines(path)
    )
    assert found == TYPED | OURS


def test_only_rules_identical_to_built_in_ones_run_in_pythons_re() -> None:
    built_in = next(rule for rule in DEFAULT_RULES if rule.engine == "re")
    assert {rule.engine for rule in DEFAULT_RULES if rule.stage == "all"} == {"polars"}
    assert MaskRule(*astuple(built_in)).engine == "re"
    for changed in ({"name": "mine"}, {"pattern": "a+"}, {"replacement": "x"}, {"stage": "all"}):
        assert replace(built_in, **changed).engine == "polars"


def with_rules(rules: tuple[MaskRule, ...]) -> Masker:
    """A masker that was not checked, as `joblib.load` makes it."""
    masker = Masker()
    masker.rules = rules
    return masker


@pytest.mark.parametrize("stage", ["all", "distinct"])
@pytest.mark.parametrize(
    "made",
    [
        lambda rule: Masker((rule,)),
        lambda rule: Masker.from_json(json.dumps([asdict(rule)])),
        lambda rule: pickle.loads(pickle.dumps(with_rules((rule,)))),
        lambda rule: Masker((user_rule(rule.name, rule.pattern, rule.replacement),)),
    ],
)
def test_a_pattern_that_backtracks_is_quick_wherever_it_comes_from(
    made: Callable[[MaskRule], Masker], stage: Literal["all", "distinct"]
) -> None:
    masker = made(MaskRule("mine", BACKTRACKS, "<X>", stage))
    assert masker.mask(pl.Series(["ab.c/" * 50_000, "a b#c"])).to_list() == ["ab.c/" * 50_000, "<X>c"]
    look_behind = MaskRule("mine", "(?<=a)b", "<X>", stage)
    with pytest.raises(InputError, match=r"'mine' cannot be used.*look-around"):
        made(look_behind).mask(pl.Series(["ab"]))


@pytest.mark.filterwarnings("ignore:Possible")
@pytest.mark.parametrize(
    "pattern",
    [
        *("[^[]+x", "[a[b]c", "order {id}", '{"a":\\d+}', "a{,2}b", "a{}", "{", "}", r"\<NUM\>", r"[\<\>]+", r"end\Z"),
        *("[a&&b~~]+", "(?i)AB", "(?P<n>a)b", "(?:a|b)+?", "a{2}", "[]a]+", "[^]a]", r"\d{2,3}?", "(?s:a.)", r"\bid\b"),
        *(r"\w+", r"\s", r"\S+$", "^a", "(?m)^b", "(?m)d$", "(?i:É)", "(?x) a [ b]", r"[\w.\-/]+", r"\x41", r"\é"),
    ],
)
def test_an_ordinary_pattern_means_what_it_means_in_python(pattern: str) -> None:
    texts = ["a[ -&{A< #b]{id}", "order {id} end", '<NUM> {"a":55}', "aab{a}x{a}{}", "Aa aB ABAb é É ß 7٣", "a\nb d\nd"]
    expected = [re.sub(pattern, "@", text) for text in texts]
    assert pl.Series(texts).str.replace_all(linear_pattern(pattern), "@").to_list() == expected


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        *((pattern, "look-around") for pattern in ("(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b")),
        *((pattern, "back-reference") for pattern in (r"(a)\1", "(?P<n>a)(?P=n)")),
        *((pattern, "never backtracks") for pattern in ("a*+", "a{2}+", "(?>a)")),
        *((pattern, "flag of Python") for pattern in ("(?a)a", "(?iL:a)")),
        *(
            (pattern, "too large")
            for pattern in ("(a{1000}){1000}", "((a{9}){9,}){99}", "a{99999999999999}", r"\w{900}")
        ),
        *((pattern, "valid") for pattern in ("(", "[a", "a)", "\\", "*", "(?P<n>a)(?P<n>b)", "(" * 900 + ")" * 900)),
        *(("(?(1)a|b)", "alternatives"), ("(?#c)a", "comment"), ("[+--]", "hyphen"), ("\udcff", "UTF-8")),
        ("a" * 2001, "2,001 characters"),
    ],
)
def test_what_the_engine_does_not_have_is_refused_with_what_to_do(pattern: str, reason: str) -> None:
    with pytest.raises(InputError, match=f"^the pattern .*{reason}"):
        linear_pattern(pattern)


def test_a_search_finds_its_text_in_any_case() -> None:
    assert pl.Series(["x[A].*y", "xa"]).str.contains(search_pattern("[a].*")).to_list() == [True, False]
    with pytest.raises(InputError, match=r"501 characters.*search for a part"):
        search_pattern("a" * 501)


def test_masks_cannot_fill_the_memory() -> None:
    lines = pl.Series(["a" * 100_000])
    assert user_rule("short", "a", "<NUM>")
    for rule in (MaskRule("long", "a", "x" * 100_000), MaskRule("many", "(a+)", "${1}" * 400)):
        with pytest.raises(InputError, match=f"'{rule.name}' cannot be used.*too long"):
            Masker((rule,)).mask(lines)
    twice = tuple(MaskRule(f"twice {n}", "(a+)", "${1}${1}") for n in range(60))
    with pytest.raises(InputError, match="too long"):
        Masker(twice).mask(lines)
    assert Masker((MaskRule("word", "a+", "x" * 100),)).mask(lines).str.len_chars().item() == 400  # in four parts


SLOW = """
import polars as pl
from lo2core.messages.templates import Templates
from lo2core.messages.masks import DEFAULT_RULES, Masker

heads = ("", 'code = "')
pumps = ("a", "A", "1", "_", "-", "ABcd", "aB", "a1B", "A_", "Id", "A12", "1.", '"', '", "', "code=", "/a1", "=1", " 1")
texts = pl.Series([head + pump * (60_000 // len(pump)) + '9x"' for head in heads for pump in pumps])
for rule in DEFAULT_RULES:
    if rule.engine == "re":
        Masker((rule,)).mask(texts)
Templates().fit(texts)

from lo2core.load.formats.catalogue import FORMATS
from lo2core.load.formats.matching import could_be, is_of, shortened

heads = ("", "2024-06-28 16:40:52,123 ", "[", "INFO ", "Jun 28 16:40:52 host app[12]: ")
pumps = (*pumps, " ", "\\t", "a ", "12:", "[a] ", "2024-06-28 16:40:52 ", "{", "a.b.", "<1>", "1.1.1.1 ", "|", "- ")
for line in [shortened(head + pump * 4_000 + "!") for head in heads for pump in pumps]:
    for known in FORMATS:
        could_be(known, line), is_of(known, line)
"""


def test_no_text_makes_a_built_in_rule_or_format_slow() -> None:
    """In a child with a generous limit: all texts take a second, one that makes a rule backtrack takes far longer."""
    subprocess.run([sys.executable, "-c", SLOW], check=True, timeout=60)
