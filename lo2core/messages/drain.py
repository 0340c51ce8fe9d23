"""Drain (He et al., "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017) over distinct messages.

Messages are grouped as by `drain3`, with two additional rules. Level, logger and method are never replaced by a
wildcard: each such header has a tree of its own, since the LogHub benchmarks parse only the content of lines. Error
codes and constants are not replaced either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from lo2core.base.calls import checked_arguments, understood
from lo2core.base.errors import InputError

UNSEEN = "<unseen>"
"""Name of everything outside a vocabulary, and template of messages that match no template."""

WILDCARD = "<*>"
"""A token of a template that differs between its messages."""

_CONSTANT = re.compile(
    r"(?<![A-Za-z0-9_<])"
    r"(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]{2,}-?[0-9]{5,}|[A-Z]{8,})"  # CLIENT_NOT_FOUND, ERR12011, AUTHENTICATED
    r"(?![A-Za-z0-9_>])"
)
"""Error codes and constants, which identify a message. Masks such as `<CREDENTIALS>` are not constants."""

_HEADER = re.compile(r"[A-Z]+ \S+(?: \S+)? -(?= |$)")
"""The header `LEVEL logger method -` of a normalised message; the method may be missing."""


class Drain:
    """A fixed-depth tree of message templates. `fit` learns it; afterwards it is frozen, and `match` adds no template.

    The text after the header is split at spaces. Two messages can share a template only if they have the same header,
    the same number of tokens and the same constants in the same positions. A template therefore shows its origin and
    its constants, and its text identifies it. Apart from that it works as `drain3` without masking: a message joins the
    most similar template with the same first tokens if at least the share `similarity` of its tokens is equal.

    similarity: from 0 to 1. depth: of the tree, at least 3. max_children: of a node; further tokens share a wildcard.
    Raises InputError for a depth below 3. Method: Drain (He et al., ICWS 2017).

    Examples:
        >>> from lo2core import Drain
        >>> drain = Drain().fit(["user 12 logged in", "user 77 logged in", "disk full"])
        >>> drain.templates
        ['user <*> logged in', 'disk full']
        >>> drain.match(["user 5 logged in", "never seen"])
        [0, None]
    """

    __module__ = "lo2core"

    @checked_arguments
    def __init__(self, similarity: float = 0.4, depth: int = 4, max_children: int = 100) -> None:
        if depth < 3:
            raise InputError(f"Drain needs a depth of at least 3, found {depth}.")
        self.similarity = similarity
        self.depth = depth
        self.max_children = max_children
        self._templates: list[tuple[str, list[str]]] = []
        self._tree: dict[str, Any] = {}

    @understood("Drain cannot learn from this", "Give it texts")
    def fit(self, messages: Iterable[str]) -> Drain:
        """Learn templates, replacing earlier ones. The result depends on the order of the messages: sort them first."""
        self._templates, self._tree = [], {}
        for message in messages:
            self._learn(*_split(message))
        return self

    def match(self, messages: Iterable[str]) -> list[int | None]:
        """The index in `templates` of the template that matches each message, or None; fitted messages always match."""
        return [self._cover(*_split(message)) for message in messages]

    def texts_of(self, messages: Iterable[str], unmatched: str) -> list[str]:
        """The text of the template that matches each message, or `unmatched`."""
        templates = self.templates
        return [unmatched if index is None else templates[index] for index in self.match(messages)]

    @property
    def templates(self) -> list[str]:
        """The texts of the templates in the order in which they were learned; variable tokens are `<*>`."""
        return [" ".join([header, *tokens] if header else tokens) for header, tokens in self._templates]

    def to_dict(self) -> dict[str, Any]:
        """Settings and learned state as values that JSON can represent."""
        settings = {"similarity": self.similarity, "depth": self.depth, "max_children": self.max_children}
        return {**settings, "templates": [list(template) for template in self._templates], "tree": self._tree}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Drain:
        """The inverse of `to_dict`."""
        drain = cls(state["similarity"], state["depth"], state["max_children"])
        drain._templates = [(header, tokens) for header, tokens in state["templates"]]
        drain._tree = state["tree"]
        return drain

    def _learn(self, header: str, tokens: list[str]) -> None:
        candidates = self._leaf(header, tokens)
        likeness = {index: _likeness(self._templates[index][1], tokens) for index in candidates}
        best = max(likeness, key=likeness.__getitem__, default=None)
        if best is None or (tokens and likeness[best][0] / len(tokens) < self.similarity):
            self._insert(header, tokens)
        else:
            pairs = zip(self._templates[best][1], tokens, strict=True)
            self._templates[best] = header, [old if old == new else WILDCARD for old, new in pairs]

    def _cover(self, header: str, tokens: list[str]) -> int | None:
        # A message may have been learned in another branch than the one that its first tokens lead to now.
        for candidates in (self._leaf(header, tokens), _leaves(self._tree.get(_key(header, tokens), []))):
            covering = [index for index in candidates if _covers(self._templates[index][1], tokens)]
            if covering:
                return max(covering, key=lambda index: self._templates[index][1].count(WILDCARD))
        return None

    def _leaf(self, header: str, tokens: list[str]) -> list[int]:
        """Indices of the templates with the same first tokens."""
        node: Any = self._tree.get(_key(header, tokens), [])
        for token in self._prefix(tokens):
            if not node:
                return []
            node = node.get(token, node.get(WILDCARD, []))
        return list(node)

    def _insert(self, header: str, tokens: list[str]) -> None:
        node, step = self._tree, _key(header, tokens)
        for token in self._prefix(tokens):
            node = node.setdefault(step, {})
            step = self._branch(node, token)
        node.setdefault(step, []).append(len(self._templates))
        self._templates.append((header, tokens))

    def _branch(self, node: dict[str, Any], token: str) -> str:
        """The child for a token: its own, or the wildcard for tokens with digits and where the node is full."""
        if token in node:
            return token
        if any(character.isdigit() for character in token):
            return WILDCARD
        others = len(node.keys() - {WILDCARD})
        return token if others + 1 < self.max_children else WILDCARD

    def _prefix(self, tokens: list[str]) -> list[str]:
        return tokens[:-1][: self.depth - 3]


def _split(message: str) -> tuple[str, list[str]]:
    """The header with its dash ("" if the message has none) and the tokens of the text after it."""
    text = " ".join(message.split())
    header = _HEADER.match(text)
    return (header[0], text[header.end() :].split()) if header else ("", text.split())


def _key(header: str, tokens: list[str]) -> str:
    """The header, the number of tokens, and the positions and texts of tokens that contain a constant."""
    constants = [f"{position}:{token}" for position, token in enumerate(tokens) if _CONSTANT.search(token)]
    return " ".join([header, str(len(tokens)), *constants])


def _likeness(template: list[str], tokens: list[str]) -> tuple[int, int]:
    """(equal tokens, wildcards of the template), to be compared in this order; more is better."""
    equal = sum(ours == theirs != WILDCARD for ours, theirs in zip(template, tokens, strict=True))
    return equal, template.count(WILDCARD)


def covers(template: str, message: str) -> bool:
    """Whether a message has the tokens of a template, apart from its wildcards."""
    ours, theirs = template.split(), message.split()
    return len(ours) == len(theirs) and _covers(ours, theirs)


def _covers(template: list[str], tokens: list[str]) -> bool:
    return all(ours in (theirs, WILDCARD) for ours, theirs in zip(template, tokens, strict=True))


def _leaves(node: dict[str, Any] | list[int]) -> Iterator[int]:
    if isinstance(node, list):
        yield from node
    else:
        for child in node.values():
            yield from _leaves(child)
