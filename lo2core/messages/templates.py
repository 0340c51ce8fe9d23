"""Templates: what messages have in common, learned from the distinct messages of a log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from lo2core.base.calls import understood
from lo2core.messages.grouping import Tokens, group_key, merged, parts, tokens_of
from lo2core.messages.variables import WILDCARD, codes_of, filled, generalised, may_have_codes, unfilled

UNSEEN = "<unseen>"
"""Name of everything outside a vocabulary, and template of messages that match no template."""


class Templates:
    """Templates of messages. `fit` learns them; afterwards they are frozen, and `match` adds none.

    General masks replace values (`variables.py`); what then still differs is variable or not by the rules of
    `grouping.py`. The header `LEVEL logger method -` is never variable, and two messages with different constants or
    error codes never share a template, so that a template shows its origin and its fault. A status that all messages of
    a template have in common is part of it. The result does not depend on the order of the messages.

    Examples:
        >>> from lo2core import Templates
        >>> templates = Templates().fit(["user 12 logged in", "user 77 logged in", "disk /dev/sda1 is full"])
        >>> templates.texts
        ['disk <*> is full', 'user <*> logged in']
        >>> templates.match(["user 5 logged in", "never seen"])
        [1, None]
    """

    __module__ = "lo2core"

    def __init__(self) -> None:
        self._templates: list[tuple[str, Tokens]] = []
        self._codes: list[tuple[str, ...] | None] = []
        self._exact: dict[tuple[str, Tokens], int] = {}
        self._index: dict[Any, list[int]] = {}

    @understood("Templates cannot be learned from this", "Give it texts")
    def fit(self, messages: Iterable[str]) -> Templates:
        """Learn the templates of the messages, replacing earlier ones."""
        texts = list(messages)
        split = _split(texts)
        by_header: dict[str, set[Tokens]] = defaultdict(set)
        for header, tokens in split:
            by_header[header].add(tokens)
        self._set(sorted((header, tokens) for header, group in by_header.items() for tokens in merged(group)))
        codes: dict[int | None, set[tuple[str, ...]]] = defaultdict(set)
        for number, text in zip(self._covering(split), texts, strict=True):
            codes[number].add(codes_of(text))
        common = [codes[number] for number in range(len(self._templates))]
        self._codes = [next(iter(found)) if len(found) == 1 else None for found in common]
        return self

    @understood("These messages have no templates", "Give it texts")
    def match(self, messages: Iterable[str]) -> list[int | None]:
        """The index in `texts` of the template of each message, or None; fitted messages always have one."""
        texts = list(messages)
        return [
            None if number is None or self._codes[number] not in (None, codes_of(text)) else number
            for number, text in zip(self._covering(_split(texts)), texts, strict=True)
        ]

    def texts_of(self, messages: Iterable[str], unmatched: str) -> list[str]:
        """The text of the template of each message, or `unmatched`."""
        texts = self.texts
        return [unmatched if index is None else texts[index] for index in self.match(messages)]

    def items_of(self, messages: Iterable[str], unmatched: str) -> list[str]:
        """As `texts_of`, with the status and error codes of each message, since they tell a fault from normal."""
        texts, templates = list(messages), [_text(*template) for template in self._templates]
        return [
            unmatched if number is None else filled(templates[number], codes_of(text))
            for number, text in zip(self._covering(_split(texts)), texts, strict=True)
        ]

    def reduced(self, messages: pl.Series) -> pl.Series:
        """As `items_of`; messages without a template become their general text, indented lines stay as they are.

        Indented lines are stack frames, of which there are few.
        """
        texts, templates = messages.to_list(), [_text(*template) for template in self._templates]
        split, coded = _split(texts), may_have_codes(messages)
        rows = zip(texts, split, self._covering(split), coded, strict=True)
        found = [
            text
            if text[:1].isspace()
            else filled(_text(*own) if number is None else templates[number], codes_of(text) if has_codes else ())
            for text, own, number, has_codes in rows
        ]
        return pl.Series(messages.name, found, dtype=pl.String)

    def extended(self, messages: Iterable[str]) -> Templates:
        """These templates and those of the messages that none of them covers; no status is part of them."""
        texts = list(messages)
        uncovered = zip(self._covering(_split(texts)), texts, strict=True)
        more = Templates().fit(text for number, text in uncovered if number is None)
        both = Templates()
        both._set(sorted({*self._templates, *more._templates}))
        both._codes = [None] * len(both._templates)
        return both

    @property
    def texts(self) -> list[str]:
        """The texts of the templates; variable parts are `<*>`."""
        pairs = zip(self._templates, self._codes, strict=True)
        return [filled(_text(*template), codes or ()) for template, codes in pairs]

    def to_dict(self) -> dict[str, Any]:
        """The templates as values that JSON can represent."""
        return {
            "templates": [[header, list(tokens)] for header, tokens in self._templates],
            "codes": [None if codes is None else list(codes) for codes in self._codes],
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Templates:
        """The inverse of `to_dict`. Raises ValueError for anything else."""
        learned = cls()
        try:
            learned._set([(str(header), tuple(map(str, tokens))) for header, tokens in state["templates"]])
            learned._codes = [None if codes is None else tuple(map(str, codes)) for codes in state["codes"]]
        except (KeyError, TypeError) as error:
            raise ValueError("no templates") from error
        if len(learned._codes) != len(learned._templates):
            raise ValueError("as many codes as templates are needed")
        return learned

    def __getstate__(self) -> dict[str, Any]:
        return self.to_dict()

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(vars(Templates.from_dict(state)))

    def _set(self, templates: list[tuple[str, Tokens]]) -> None:
        self._templates, self._index = templates, defaultdict(list)
        self._exact = {template: number for number, template in enumerate(templates)}
        for number, (header, tokens) in enumerate(templates):
            if any(WILDCARD in token for token in tokens):
                self._index[header, group_key(tokens), _first(tokens)].append(number)

    def _covering(self, messages: Iterable[tuple[str, Tokens]]) -> Iterator[int | None]:
        """The most specific template that covers each message, or None."""
        known: dict[tuple[str, Tokens], int | None] = {}
        for message in messages:
            if message not in known:
                known[message] = self._most_specific(*message)
            yield known[message]

    def _most_specific(self, header: str, tokens: Tokens) -> int | None:
        if (header, tokens) in self._exact:
            return self._exact[header, tokens]
        key = group_key(tokens)
        firsts = {_first(tokens), None}
        candidates = [number for first in firsts for number in self._index.get((header, key, first), ())]
        covering = [number for number in candidates if _covers(self._templates[number][1], tokens)]
        return min(covering, key=lambda number: _wildcards(self._templates[number][1]), default=None)


def covered(template: str, messages: Iterable[str]) -> list[bool]:
    """Whether a template, given by its text, covers each message."""
    texts, codes = list(messages), codes_of(template)
    return [
        codes in ((), codes_of(text)) and template.startswith(header) and _has(template[len(header) :], tokens)
        for text, (header, tokens) in zip(texts, _split(texts), strict=True)
    ]


def _has(template: str, tokens: Tokens) -> bool:
    wanted = tuple(unfilled(template).split())
    return len(wanted) == len(tokens) and _covers(wanted, tokens)


def _split(messages: list[str]) -> list[tuple[str, Tokens]]:
    """Header and tokens of each message."""
    general = generalised(pl.Series(messages, dtype=pl.String))
    tokens = {text: tokens_of(text) for text in general["text"].unique()}
    return [(header, tokens[text]) for header, text in general.iter_rows()]


def _text(header: str, tokens: Tokens) -> str:
    return " ".join([header, *tokens] if header else tokens)


def _covers(template: Tokens, tokens: Tokens) -> bool:
    return all(ours == theirs or _covers_token(ours, theirs) for ours, theirs in zip(template, tokens, strict=True))


def _covers_token(template: str, token: str) -> bool:
    """Whether a token has the key and a value in place of the wildcard of a template's token."""
    key, value, _ = parts(template)
    return value == WILDCARD and parts(token)[0] == key


def _first(tokens: Tokens) -> str | None:
    """The first token; None if it is variable."""
    return None if not tokens or WILDCARD in tokens[0] else tokens[0]


def _wildcards(tokens: Tokens) -> int:
    return sum(token.count(WILDCARD) for token in tokens)
