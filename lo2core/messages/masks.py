"""Masks: what differs in every line (ids, credentials, times) is replaced by its kind, so that like lines are equal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Literal

import polars as pl

from lo2core.base.errors import InputError
from lo2core.messages.hashing import factorize

Stage = Literal["all", "distinct"]
_GROUP = re.compile(r"\$\{(\w+)\}")
_NO_PATTERN = (re.error, OverflowError, RecursionError)
"""What Python's `re` raises for a pattern that is none, repeats too often, or is nested too deeply."""


@dataclass(frozen=True)
class MaskRule:
    """One named replacement; in its replacement `${1}` is a group and all else stands for itself.

    Stage "all": a regular expression of Rust's `regex` crate (no look-around), run first on all distinct raw texts.
    Stage "distinct": one of Python's `re`, run on what is still distinct after that.

    Examples:
        >>> import polars as pl
        >>> from lo2core import Masker, MaskRule
        >>> rule = MaskRule("user", r"(user|owner)=[a-z]+", "${1}=<USER>")
        >>> Masker((rule,)).mask(pl.Series(["owner=admin saved"])).to_list()
        ['owner=<USER> saved']
    """

    __module__ = "lo2core"

    name: str
    pattern: str
    replacement: str
    stage: Stage = "all"


# Class names and constants can be as long as ids, and hold capitals and digits too. What tells them from random
# characters is that they can be read as words. So can 0.8 % of random ids of 22 characters, known by their key.
_END = r"(?![A-Za-z0-9_-])"
_SHORT_WORDS = "As|At|By|Db|Do|Go|Id|If|In|Io|Ip|Is|My|No|Of|Ok|On|Or|To|Ui|Up"
_SINGLE_LETTER = r"(?<![A-Za-z0-9])[A-Za-z](?![A-Za-z0-9])"
# Possessive, so that no text makes it slow.
_WORD = (
    r"[A-Z]*+[a-z]{2,}+|[A-Z]{2,}+|[0-9]++|[_-]++|[A-Z](?=[0-9]{2})"
    rf"|(?:{_SHORT_WORDS})(?![a-z])|{_SINGLE_LETTER}"
)
_READABLE = rf"(?![A-Z]{{30}}|[a-z]{{30}}|[0-9]{{20}})(?:{_WORD})+{_END}"
_SECRET_KEYS = "code|code_?challenge|code_?verifier|client_?secret|access_?token|refresh_?token|id_?token"
_SECRET = rf"(?!(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+_*|(?:[A-Z]?[a-z]{{3,}}+)+){_END})[^\"\s<>:/.,;&(){{}}]{{20,}}"

DEFAULT_RULES: tuple[MaskRule, ...] = (
    MaskRule("uuid", r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{1,4}(?:-[0-9a-fA-F]{1,4}){0,2}(?:-[0-9a-fA-F]{0,12})?\b", "<UUID>"),
    MaskRule("jwt", r"\beyJ[\w-]{5,}(?:\.[\w-]*){1,4}", "<JWT>"),
    # Prose says "Basic authentication": only a capital, digit or sign after some characters makes it base64.
    MaskRule("basic credentials", r"\bBasic [A-Za-z0-9+/]{7,}[A-Z0-9+/=][A-Za-z0-9+/]*=*", "Basic <CREDENTIALS>"),
    MaskRule("object hash", r"@[0-9a-f]{5,8}\b", "@<HASH>"),
    MaskRule("e-mail", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "<EMAIL>"),
    MaskRule("date in words", r"\b[A-Z][a-z]{2} \d\d?, \d{4},? \d\d?:\d\d:\d\d(?:\s?[AP]M)?", "<TIME>"),
    MaskRule(
        "date", r"\b\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b", "<TIME>"
    ),
    MaskRule("time of day", r"\b\d\d?:\d\d:\d\d(?:[.,]\d+)?\b", "<TIME>"),
    MaskRule("ip address", r"\b\d{1,3}(?:\.\d{1,3}){3}\b(\]?)(?::\d{1,5}\b)?", "<IP>${1}"),
    MaskRule("size", r"(?i)\b((?:size|length|bytes|offset)(?:\s|\s?[:=]\s?))\d+\b", "${1}<NUM>"),
    MaskRule("number in a name", r"_-?\d{5,}(_|\b)", "_<NUM>${1}"),
    # Eight digits may be a hex id: they are left to the next rule.
    MaskRule("large number", r"\b(?:\d{5,7}|\d{9,})\b", "<NUM>"),
    MaskRule("hex id", r"\b(?:[0-9a-f]{8}|[0-9a-f]{12,128}|0x[0-9a-fA-F]{4,})\b", "<HEX>"),
    MaskRule("id after its key", rf"(?i:\b({_SECRET_KEYS}))(\"?\s?[=:]\s?\"?){_SECRET}", "${1}${2}<ID>", "distinct"),
    MaskRule(
        "id before its key",
        rf"\"{_SECRET}\", \"{_SECRET}\", (?=(?i:{_SECRET_KEYS})\b)",
        '"<ID>", "<ID>", ',
        "distinct",
    ),
    MaskRule("random id", rf"(?<![A-Za-z0-9_-])(?!{_READABLE})[A-Za-z0-9_-]{{20,}}=*", "<ID>", "distinct"),
    # Not before the ids, of which "-8s-" may be a part.
    MaskRule(
        "duration",
        r"\b\d+(?:\.\d+)?(?:\s?(?:ns|ms|millis\w*|secs?|seconds?|minutes?|hours?|days?)|[smh])\b",
        "<DURATION>",
        "distinct",
    ),
    # HTTP status and error codes are few and say much: they stay.
    MaskRule(
        "measure",
        r"=(?i:(?<!status=)(?<!code=)(?<!error=))-?\d+(?:\.\d+)?(?:%|[KMGT]?B?(?!\.?\w))",
        "=<NUM>",
        "distinct",
    ),
    # Of an API's path the first part may end in a version: /oauth2/token.
    MaskRule("number of a folder", r"(?<=[A-Za-z>_-])(/[A-Za-z]+)\d+(?=/)", "${1}<NUM>", "distinct"),
    MaskRule("number inside a name", r"(?<=[a-z>]_)\d+(?=_)|(?<=<NUM>_)\d+\b", "<NUM>", "distinct"),
)


class Masker:
    """Applies rules in order: those of stage "all", then those of stage "distinct".

    The result depends on each text alone, not on what else is in the Series. Raises `InputError` for a rule that
    cannot work.

    Examples:
        >>> import polars as pl
        >>> from lo2core import Masker, MaskRule
        >>> lines = pl.Series(["Order 77-A took 12 ms", "Order 78-B took 9 ms"])
        >>> Masker().mask(lines).to_list()
        ['Order 77-A took <DURATION>', 'Order 78-B took <DURATION>']
        >>> order = MaskRule("order number", r"Order [0-9]+-[A-Z]", "Order <ORDER>")
        >>> Masker((*Masker().rules, order)).mask(lines).unique().to_list()
        ['Order <ORDER> took <DURATION>']
    """

    __module__ = "lo2core"

    def __init__(self, rules: tuple[MaskRule, ...] = DEFAULT_RULES) -> None:
        self.rules = tuple(rules)
        _check(self.rules)

    def mask(self, texts: pl.Series) -> pl.Series:
        """The masked texts, in the same order and number; null stays null."""
        codes, distinct = factorize(texts)
        for rule in self._in_order():
            masked = _apply(rule, distinct)
            if not masked.equals(distinct):
                merged, distinct = factorize(masked)
                codes = merged.gather(codes)
        return distinct.gather(codes).alias(texts.name)

    def hits(self, texts: pl.Series) -> pl.DataFrame:
        """One row a rule, in running order: name, hits (texts it changed), before and after (the first such text)."""
        counts = texts.drop_nulls().to_frame("before").select("before", n=pl.lit(1, pl.Int64))
        rows = []
        for rule in self._in_order():
            counts = counts.group_by("before", maintain_order=True).agg(pl.col("n").sum())
            counts = counts.with_columns(_apply(rule, counts["before"]).alias("after"))
            changed = counts.filter(pl.col("before") != pl.col("after"))
            example = changed.row(0, named=True) if len(changed) else {"before": None, "after": None}
            rows.append({"name": rule.name, "hits": changed["n"].sum(), **example})
            counts = counts.select("n", before="after")
        schema = {"name": pl.String, "hits": pl.Int64, "before": pl.String, "after": pl.String}
        return pl.DataFrame(rows, schema=schema)

    def renewed(self) -> Masker:
        """Today's default rules, and behind them the rules of this one that are nobody's default but its user's."""
        defaults = {rule.name for rule in DEFAULT_RULES}
        return Masker((*DEFAULT_RULES, *(rule for rule in self.rules if rule.name not in defaults)))

    def beyond(self, known: Masker) -> Masker:
        """Only the rules behind those of `known`, for texts that `known` masked: a rule may match what it has made.

        Raises InputError where these rules do not begin with those of `known`.
        """
        n = len(known.rules)
        if self.rules[:n] != known.rules:
            raise InputError("These masks do not extend those that the logs were loaded with: load the logs anew.")
        return Masker(self.rules[n:])

    @property
    def fingerprint(self) -> str:
        """Short hash of all rules in their order: equal fingerprints mask alike."""
        return blake2b(self.to_json().encode(), digest_size=6).hexdigest()

    def to_json(self) -> str:
        return json.dumps([asdict(rule) for rule in self.rules])

    @classmethod
    def from_json(cls, text: str) -> Masker:
        return cls(tuple(MaskRule(**rule) for rule in json.loads(text)))

    def _in_order(self) -> list[MaskRule]:
        return sorted(self.rules, key=lambda rule: rule.stage == "distinct")


def user_rule(name: str, pattern: str, replacement: str) -> MaskRule:
    """A rule a person typed, for Python's `re`. It runs behind all default rules, at a load and later alike."""
    rule = MaskRule(name, pattern, replacement, "distinct")
    if problem := _problem(rule):
        raise InputError(f"The mask {name!r} cannot be used: {problem}. Mend its pattern {pattern!r}.")
    return rule


def _apply(rule: MaskRule, texts: pl.Series) -> pl.Series:
    if rule.stage == "all":
        return texts.str.replace_all(rule.pattern, re.sub(r"\$(?!\{\w+\})", "$$", rule.replacement))
    substitute = _substitute(rule)
    return pl.Series(texts.name, [substitute(text) for text in texts], dtype=pl.String)


@lru_cache(maxsize=64)
def _substitute(rule: MaskRule) -> Callable[[str], str]:
    """The rule on one text, by Python. It remembers its last texts: what gets here comes again with every file."""
    pattern = re.compile(rule.pattern)
    replacement = _GROUP.sub(r"\\g<\1>", rule.replacement.replace("\\", r"\\"))
    return lru_cache(maxsize=4096)(lambda text: pattern.sub(replacement, text))


def _check(rules: tuple[MaskRule, ...]) -> None:
    names = [rule.name for rule in rules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"Two masks are called {twice[0]!r}: give each its own name.")
    for rule in rules:
        if problem := _problem(rule):
            raise InputError(f"The mask {rule.name!r} cannot be used: {problem}. Mend its pattern {rule.pattern!r}.")


@lru_cache(maxsize=64)
def _problem(rule: MaskRule) -> str | None:
    """Why this rule cannot work, or None."""
    if not rule.name.strip():
        return "it has no name"
    if group := _missing_group(rule):
        return f"its replacement names the group {group!r}, which its pattern does not have"
    try:
        found = _apply(MaskRule(rule.name, rule.pattern, "x", rule.stage), pl.Series([""]))
    except (*_NO_PATTERN, pl.exceptions.ComputeError) as error:
        # Polars puts the reason into a line of its own, between the pattern and its own expression.
        reason = re.search(r"^error: (.*)$", str(error), re.MULTILINE)
        return reason[1] if reason else str(error)
    return "its pattern matches the empty text" if found[0] else None


def _missing_group(rule: MaskRule) -> str | None:
    try:
        pattern = re.compile(rule.pattern)
    except _NO_PATTERN:
        return None
    known = {*pattern.groupindex, *map(str, range(pattern.groups + 1))}
    return next((group for group in _GROUP.findall(rule.replacement) if group not in known), None)
