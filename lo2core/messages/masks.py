"""Masks: variable parts of a line (ids, credentials, times) are replaced by their kind, so that similar lines match."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, astuple, dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import groupby
from typing import Literal, get_args

import polars as pl

from lo2core.base.calls import checked_arguments
from lo2core.base.errors import InputError
from lo2core.base.untrusted import json_value
from lo2core.messages.hashing import factorize
from lo2core.messages.patterns import group_names, linear_pattern
from lo2core.messages.replace import GROUP, PART, replace_all
from lo2core.messages.templates import Templates

Stage = Literal["all", "distinct"]
Engine = Literal["polars", "re"]

MOST_RULES = 200
"""Maximum number of rules of a masker."""

_GROWTH = 10
"""Maximum factor by which masking may lengthen texts; short texts may grow by up to `_SLACK` bytes in total."""

_SLACK = 1_000_000


@dataclass(frozen=True)
class MaskRule:
    """A named regular expression and its replacement, in which `${1}` or `${name}` inserts a group.

    pattern: in the syntax of Rust's `regex` crate, which has no look-around and no back-references.
    stage: the order. "all" rules run first, on all distinct raw texts; "distinct" rules run on the texts that are still
    distinct after that.

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

    @property
    def engine(self) -> Engine:
        """The regex engine: Python's `re` for the built-in rules that need it, polars for all others.

        It is derived from the rule, so that no file can choose it: with a pattern that nobody checked, `re` can take
        practically forever.
        """
        return "re" if self in _RUN_BY_RE else "polars"


# Class names and constants can be as long as ids and contain capitals and digits, too. Unlike random characters they
# can be split into words. So can 0.8 % of random ids with 22 characters; those are recognised by their key.
_END = r"(?![A-Za-z0-9_-])"
_SHORT_WORDS = "As|At|By|Db|Do|Go|Id|If|In|Io|Ip|Is|My|No|Of|Ok|On|Or|To|Ui|Up"
_SINGLE_LETTER = r"(?<![A-Za-z0-9])[A-Za-z](?![A-Za-z0-9])"
_WORD = (
    r"[A-Z]*+[a-z]{2,}+|[A-Z]{2,}+|[0-9]++|[_-]++|[A-Z](?=[0-9]{2})"
    rf"|(?:{_SHORT_WORDS})(?![a-z])|{_SINGLE_LETTER}"
)
_WORDS = f"(?:{_WORD})+"
_READABLE = rf"(?![A-Z]{{30}}|[a-z]{{30}}|[0-9]{{20}}){_WORDS}{_END}"
_SECRET_KEYS = "code|code_?challenge|code_?verifier|client_?secret|access_?token|refresh_?token|id_?token"
_SECRET = rf"(?!(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+_*|(?:[A-Z]?[a-z]{{3,}}+)+){_END})[^\"\s<>:/.,;&(){{}}]{{20,}}"

_PASSWORDS = "password|passwd|passphrase|pwd|secret|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?key|token"
# A value in capitals is a constant, which may name a fault.
_VALUE = r"[^\s\"'<>,;&(){}\[\]]*[a-z0-9][^\s\"'<>,;&(){}\[\]]{3,}"
_TOKEN = r"[A-Za-z._~+/-]*[0-9][A-Za-z0-9._~+/=-]{4,}|[A-Za-z0-9._~+/-]{24,}=*"
_HEXTET = "[0-9A-Fa-f]{1,4}"
# Names such as `cafe::add` are no addresses: a single part in front of `::` needs a digit.
_IPV6 = (
    rf"(?:\b(?:{_HEXTET}:){{7}}{_HEXTET}\b|(?:\b(?:{_HEXTET}:){{1,5}}{_HEXTET}|\b[A-Fa-f]{{0,3}}[0-9][0-9A-Fa-f]{{0,3}})"
    rf"::(?:{_HEXTET}(?::{_HEXTET}){{0,5}}\b)?|::(?:[fF]{{4}}:(?:\d{{1,3}}\.){{3}}\d{{1,3}}|1\b))(?:%\w+)?"
)

DEFAULT_RULES: tuple[MaskRule, ...] = (
    MaskRule("uuid", r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{1,4}(?:-[0-9a-fA-F]{1,4}){0,2}(?:-[0-9a-fA-F]{0,12})?\b", "<UUID>"),
    MaskRule("jwt", r"\beyJ[\w-]{5,}(?:\.[\w-]*){1,4}", "<JWT>"),
    # "Basic authentication" is prose: only a capital, a digit or a sign after some characters makes it base64.
    MaskRule("basic credentials", r"\bBasic [A-Za-z0-9+/]{7,}[A-Z0-9+/=][A-Za-z0-9+/]*=*", "Basic <CREDENTIALS>"),
    MaskRule("bearer token", rf"(?i:\b(Bearer)) (?:{_TOKEN})", "${1} <TOKEN>"),
    MaskRule("password or key", rf"(?i:\b(\w*(?:{_PASSWORDS})))(=|\":\s?\")(?:{_VALUE})", "${1}${2}<ID>"),
    MaskRule("ip address, version 6", rf"{_IPV6}(\]?)(?::\d{{1,5}}\b)?", "<IP>${1}"),
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
    # Eight digits may be a hexadecimal id, which the next rule replaces.
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
    # After the ids, which may contain "-8s-".
    MaskRule(
        "duration",
        r"\b\d+(?:\.\d+)?(?:\s?(?:ns|ms|millis\w*|secs?|seconds?|minutes?|hours?|days?)|[smh])\b",
        "<DURATION>",
        "distinct",
    ),
    # HTTP status and error codes are kept: there are few of them, and they matter.
    MaskRule(
        "measure",
        r"=(?i:(?<!status=)(?<!code=)(?<!error=))-?\d+(?:\.\d+)?(?:%|[KMGT]?B?(?!\.?\w))",
        "=<NUM>",
        "distinct",
    ),
    # The first part of an API path is kept, since it may end in a version: /oauth2/token.
    MaskRule("number of a folder", r"(?<=[A-Za-z>_-])(/[A-Za-z]+)\d+(?=/)", "${1}<NUM>", "distinct"),
    MaskRule("number inside a name", r"(?<=[a-z>]_)\d+(?=_)|(?<=<NUM>_)\d+\b", "<NUM>", "distinct"),
)
_RUN_BY_RE = frozenset(rule for rule in DEFAULT_RULES if rule.stage == "distinct")
"""The built-in rules that run in Python's `re`. Their time must grow linearly with every text; a test tries many."""

_RARE = frozenset(r for r in DEFAULT_RULES if r.stage == "all" and r.name not in ("uuid", "hex id"))
"""The built-in rules that few lines match."""


class Masker:
    """Masks texts by rules: first those of stage "all", then those of stage "distinct", each in the given order.

    Equal texts always get the same result, whatever else the Series contains. Without rules, `DEFAULT_RULES` are used.
    templates: of logs with too many distinct messages; after the rules, each message becomes its template, with its
    status and error codes (`Templates.reduced`).
    Raises InputError for a rule that is invalid or matches the empty text, for two rules of the same name, and for more
    than 200 rules.

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

    templates: Templates | None = None

    @checked_arguments
    def __init__(self, rules: tuple[MaskRule, ...] = DEFAULT_RULES, templates: Templates | None = None) -> None:
        self.rules = tuple(rules)
        self.templates = templates
        _check(self.rules)

    @checked_arguments
    def mask(self, texts: pl.Series) -> pl.Series:
        """The masked texts in the same order; null stays null."""
        codes, masked = self.coded(texts)
        return masked.gather(codes).alias(texts.name)

    def coded(self, texts: pl.Series) -> tuple[pl.Series, pl.Series]:
        """The masked texts as integer codes, in the same order, and the few texts that these number."""
        codes, distinct = factorize(texts)
        most_bytes = _most_bytes(distinct)
        for rules in _in_groups(self._in_order()):
            masked = _apply_all(rules, distinct, most_bytes)
            if not masked.equals(distinct):
                merged, distinct = factorize(masked)
                codes = merged.gather(codes)
        if self.templates is not None:
            distinct = self.templates.reduced(distinct)
        return codes, distinct

    def hits(self, texts: pl.Series) -> pl.DataFrame:
        """One row per rule, in running order: name, hits (texts it changes), before and after (the first such text)."""
        counts = texts.drop_nulls().to_frame("before").select("before", n=pl.lit(1, pl.Int64))
        most_bytes = _most_bytes(counts["before"])
        rows = []
        for rule in self._in_order():
            counts = counts.group_by("before", maintain_order=True).agg(pl.col("n").sum())
            counts = counts.with_columns(_apply(rule, counts["before"], most_bytes).alias("after"))
            changed = counts.filter(pl.col("before") != pl.col("after"))
            example = changed.row(0, named=True) if len(changed) else {"before": None, "after": None}
            rows.append({"name": rule.name, "hits": changed["n"].sum(), **example})
            counts = counts.select("n", before="after")
        schema = {"name": pl.String, "hits": pl.Int64, "before": pl.String, "after": pl.String}
        return pl.DataFrame(rows, schema=schema)

    def renewed(self) -> Masker:
        """The current default rules, followed by the rules that a user added, and the templates."""
        defaults = {rule.name for rule in DEFAULT_RULES}
        return Masker((*DEFAULT_RULES, *(rule for rule in self.rules if rule.name not in defaults)), self.templates)

    def beyond(self, other: Masker) -> Masker:
        """Only the rules that follow those of `other`, for texts that `other` has masked already.

        A rule must not run twice, since it may match its own replacement. Raises InputError if the rules do not begin
        with those of `other`.
        """
        n = len(other.rules)
        if other.templates is not None and self.fingerprint != other.fingerprint:
            raise InputError(
                "These logs have so many distinct messages that they are counted by templates, to which no mask can be "
                "added later: load the logs again."
            )
        if self.rules[:n] != other.rules:
            raise InputError("These masks do not extend those that the logs were loaded with: load the logs again.")
        return Masker(self.rules[n:], None if other.templates else self.templates)

    @property
    def fingerprint(self) -> str:
        """Short hash of all rules and their order: maskers with equal fingerprints give equal results."""
        return blake2b(self.to_json().encode(), digest_size=6).hexdigest()

    def to_json(self) -> str:
        """All rules, and the templates if there are some, as JSON text."""
        rules = [asdict(rule) for rule in self.rules]
        return json.dumps(rules if self.templates is None else {"rules": rules, "templates": self.templates.to_dict()})

    @classmethod
    def from_json(cls, text: str) -> Masker:
        """The inverse of `to_json`. Raises ValueError or TypeError for another text, InputError as `Masker`."""
        saved = json_value(text)
        rules, templates = saved, None
        if isinstance(saved, dict):
            rules, templates = saved.get("rules"), saved.get("templates", {})
        if not isinstance(rules, list):
            raise ValueError(f"expected a list of masks, found {text[:40]!r}")
        learned = None if templates is None else Templates.from_dict(templates)
        return cls(tuple(MaskRule(**rule) for rule in rules), learned)

    def _in_order(self) -> list[MaskRule]:
        return sorted(self.rules, key=lambda rule: rule.stage == "distinct")


def user_rule(name: str, pattern: str, replacement: str) -> MaskRule:
    """A rule that a person typed. It runs after all default rules.

    Raises InputError for a rule that cannot work, and for a replacement that inserts a group in another syntax.
    """
    rule = MaskRule(name, pattern, replacement, "distinct")
    _check((rule,))
    if other := _inserted_otherwise(rule):
        raise InputError(
            f"The mask {name!r} cannot be used: its replacement contains {other[0]}, which is plain text here. Write "
            f"${{{other[1]}}} to insert that group, or (?:...) for a group that is not to be inserted."
        )
    return rule


def _in_groups(rules: list[MaskRule]) -> Iterator[tuple[MaskRule, ...]]:
    """The rules in the same order; those of `_RARE` that follow each other are in one group, others alone."""
    for rare, following in groupby(rules, key=lambda rule: rule in _RARE):
        group = tuple(following)
        yield from [group] if rare else zip(group, strict=True)


def _apply_all(rules: tuple[MaskRule, ...], texts: pl.Series, most_bytes: int) -> pl.Series:
    """The texts after each rule. Those that match none of several rules are found first, in one search."""
    if len(rules) == 1:
        return _apply(rules[0], texts, most_bytes)
    rows = (texts.str.contains(_any_of(rules)) | (texts.str.len_chars() > PART)).arg_true()
    some = texts.gather(rows)
    for rule in rules:
        some = _apply(rule, some, most_bytes)
    return texts.clone().scatter(rows, some)


@lru_cache(maxsize=8)
def _any_of(rules: tuple[MaskRule, ...]) -> str:
    return "|".join(f"(?:{linear_pattern(rule.pattern)})" for rule in rules)


def _apply(rule: MaskRule, texts: pl.Series, most_bytes: int) -> pl.Series:
    if rule.engine == "polars":
        try:
            return replace_all(texts, rule.pattern, rule.replacement, most_bytes)
        except InputError as error:
            raise InputError(f"The mask {rule.name!r} cannot be used: {error}.") from error
    substitute = _substitute(rule)
    return pl.Series(texts.name, [substitute(text) for text in texts], dtype=pl.String)


def _most_bytes(texts: pl.Series) -> int:
    return _GROWTH * int(texts.str.len_bytes().sum()) + _SLACK


@lru_cache(maxsize=64)
def _substitute(rule: MaskRule) -> Callable[[str], str]:
    """The rule as a function of one text. It caches its last results, since the same texts occur in every file."""
    # Possessive: "ABcd" can be one word or two, and each such choice doubles the number of attempts, without finding
    # more. The rule itself keeps its pattern, which saved workspaces and models contain.
    pattern = re.compile(rule.pattern.replace(_WORDS, f"{_WORDS}+"))
    replacement = GROUP.sub(r"\\g<\1>", rule.replacement.replace("\\", r"\\"))
    return lru_cache(maxsize=4096)(lambda text: pattern.sub(replacement, text))


def _check(rules: tuple[MaskRule, ...]) -> None:
    if len(rules) > MOST_RULES:
        raise InputError(f"There are {len(rules):,} masks, at most {MOST_RULES} are allowed: combine or remove some.")
    for rule in rules:
        if not isinstance(rule, MaskRule) or not all(isinstance(value, str) for value in astuple(rule)):
            raise InputError(f"A mask consists of a name, a pattern, a replacement and a stage, found {rule!r}.")
        if rule.engine == "polars" and (problem := _problem(rule)):
            raise InputError(f"The mask {rule.name!r} cannot be used: {problem}.")
    names = [rule.name for rule in rules]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"Two masks have the name {repeated[0]!r}: give each its own name.")


@lru_cache(maxsize=MOST_RULES)
def _problem(rule: MaskRule) -> str | None:
    """Why the rule cannot be used and what to do, or None."""
    if not rule.name.strip():
        return "it has no name, so give it one"
    if rule.stage not in get_args(Stage):
        return f"its stage is {rule.stage!r}, not {' or '.join(get_args(Stage))}"
    try:
        pattern = linear_pattern(rule.pattern)
    except InputError as error:
        return str(error)
    if missing := [group for group in GROUP.findall(rule.replacement) if group not in group_names(pattern)]:
        return f"its replacement names the group {missing[0]!r}, which the pattern {rule.pattern!r} does not have"
    found = pl.Series(["", "a b-1\n"]).str.extract_all(pattern).explode()
    if (found == "").any():
        return "its pattern matches the empty text, so write + instead of *"
    return None


def _inserted_otherwise(rule: MaskRule) -> tuple[str, str] | None:
    r"""A reference to a group in the syntax of another tool, and the group: `\1` -> ("\1", "1")."""
    groups = group_names(linear_pattern(rule.pattern))
    for found in re.finditer(r"\\(?:g<)?(\w+)>?|\$(\w+)", rule.replacement):
        if (group := found[1] or found[2]) in groups - {"0"}:
            return found[0], group
    return None
