"""Drain (He et al., "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017) over distinct messages.

Groups messages as `drain3` does, with two rules more: level, logger and method are never masked away (each such header
has a tree of its own, as the benchmarks of LogHub parse the content of lines only), nor are error codes and constants.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from lo2core.base.errors import InputError

UNSEEN = "<unseen>"

WILDCARD = "<*>"

_CONSTANT = re.compile(
    r"(?<![A-Za-z0-9_<])"
    r"(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]{2,}-?[0-9]{5,}|[A-Z]{8,})"  # CLIENT_NOT_FOUND, ERR12011, AUTHENTICATED
    r"(?![A-Za-z0-9_>])"
)
"""What acts as a key; `<CREDENTIALS>` and its like are masks, no constants."""

_HEADER = re.compile(r"[A-Z]+ \S+(?: \S+)? -(?= |$)")
"""`LEVEL logger method -` of a normalised message; the method may be unknown."""


class Drain:
    """A fixed-depth tree of templates, learned once by `fit`, then frozen: `match` never makes a new one.

    Messages are split at blanks, behind their header. Two messages may share a template only if they have the same
    header, equally many tokens, and the same tokens with constants in the same places; so a template shows where it
    comes from and its constants, and its text is enough to identify it. Otherwise as in `drain3` with the same settings
    and without masking: a message joins the most similar template that begins alike if at least the share `similarity`
    of its tokens is equal.

    Examples:
        >>> from lo2core import Drain
        >>> drain = Drain().fit(["user 12 logged in", "user 77 logged in", "disk full"])
        >>> drain.templates
        ['user <*> logged in', 'disk full']
        >>> drain.match(["user 5 logged in", "never seen"])
        [0, None]
    """

    __module__ = "lo2core"

    def __init__(self, similarity: float = 0.4, depth: int = 4, max_children: int = 100) -> None:
        if depth < 3:
            raise InputError(f"Drain needs a depth of at least 3 (root, length, templates), not {depth}.")
        self.similarity = similarity
        self.depth = depth
        self.max_children = max_children
        self._templates: list[tuple[str, list[str]]] = []
        self._tree: dict[str, Any] = {}

    def fit(self, messages: Iterable[str]) -> Drain:
        """Learns the templates anew. Their order and form depend on the order of the messages: sort them first."""
        self._templates, self._tree = [], {}
        for message in messages:
            self._learn(*_split(message))
        return self

    def match(self, messages: Iterable[str]) -> list[int | None]:
        """For each message the index (in `templates`) of the template that covers it; None where there is none.

        Every message that was fitted is covered.
        """
        return [self._cover(*_split(message)) for message in messages]

    def texts_of(self, messages: Iterable[str], unmatched: str) -> list[str]:
        """For each message the text of the template that covers it; `unmatched` where there is none."""
        templates = self.templates
        return [unmatched if index is None else templates[index] for index in self.match(messages)]

    @property
    def templates(self) -> list[str]:
        """The text of each template, in the order in which they arose; variable tokens are `<*>`."""
        return [" ".join([header, *tokens] if header else tokens) for header, tokens in self._templates]

    def to_dict(self) -> dict[str, Any]:
        """All settings and state, ready for JSON."""
        settings = {"similarity": self.similarity, "depth": self.depth, "max_children": self.max_children}
        return {**settings, "templates": [list(template) for template in self._templates], "tree": self._tree}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Drain:
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
        # A message can have been learned in another branch than the one that its first tokens lead to by now.
        for candidates in (self._leaf(header, tokens), _leaves(self._tree.get(_key(header, tokens), []))):
            covering = [index for index in candidates if _covers(self._templates[index][1], tokens)]
            if covering:
                return max(covering, key=lambda index: self._templates[index][1].count(WILDCARD))
        return None

    def _leaf(self, header: str, tokens: list[str]) -> list[int]:
        """The templates that begin like these tokens."""
        node = self._tree.get(_key(header, tokens), [])
        for token in self._prefix(tokens):
            if not node:
                return []
            node = node.get(token, node.get(WILDCARD, []))
        return node

    def _insert(self, header: str, tokens: list[str]) -> None:
        node, step = self._tree, _key(header, tokens)
        for token in self._prefix(tokens):
            node = node.setdefault(step, {})
            step = self._branch(node, token)
        node.setdefault(step, []).append(len(self._templates))
        self._templates.append((header, tokens))

    def _branch(self, node: dict[str, Any], token: str) -> str:
        """The child to go to: the token's own, but the wildcard's for tokens with digits and where a node is full."""
        if token in node:
            return token
        if any(character.isdigit() for character in token):
            return WILDCARD
        others = len(node.keys() - {WILDCARD})
        return token if others + 1 < self.max_children else WILDCARD

    def _prefix(self, tokens: list[str]) -> list[str]:
        return tokens[:-1][: self.depth - 3]


def _split(message: str) -> tuple[str, list[str]]:
    """The header with its dash ("" where there is none), and the tokens behind it."""
    text = " ".join(message.split())
    found = _HEADER.match(text)
    return (found[0], text[found.end() :].split()) if found else ("", text.split())


def _key(header: str, tokens: list[str]) -> str:
    """The header, the number of tokens, and the place and text of each that holds a constant."""
    constants = [f"{place}:{token}" for place, token in enumerate(tokens) if _CONSTANT.search(token)]
    return " ".join([header, str(len(tokens)), *constants])


def _likeness(template: list[str], tokens: list[str]) -> tuple[int, int]:
    """(equal tokens, wildcards of the template): the more the better, in this order."""
    equal = sum(ours == theirs != WILDCARD for ours, theirs in zip(template, tokens, strict=True))
    return equal, template.count(WILDCARD)


def _covers(template: list[str], tokens: list[str]) -> bool:
    return all(ours in (theirs, WILDCARD) for ours, theirs in zip(template, tokens, strict=True))


def _leaves(node: dict[str, Any] | list[int]) -> Iterator[int]:
    if isinstance(node, list):
        yield from node
    else:
        for child in node.values():
            yield from _leaves(child)
