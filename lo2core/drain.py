"""Drain (He et al., "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017) over distinct messages.

Groups messages as `drain3` does, with one rule more: error codes and constants in capitals are never masked away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any

from lo2core.errors import InputError

WILDCARD = "<*>"

_CONSTANT = re.compile(
    r"(?<![A-Za-z0-9_<])"
    r"(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]{2,}-?[0-9]{5,}|[A-Z]{8,})"  # CLIENT_NOT_FOUND, ERR12011, AUTHENTICATED
    r"(?![A-Za-z0-9_>])"
)
"""What acts as a key; `<CREDENTIALS>` and its like are masks, no constants."""


class Drain:
    """A fixed-depth tree of templates, learned once by `fit`, then frozen: `match` never makes a new one.

    Messages are split at blanks. Two messages may share a template only if they have equally many tokens and the same
    tokens with constants in the same places; so a template shows its constants, and its text is enough to identify it.
    Otherwise as in `drain3` with the same settings and without masking: a message joins the most similar template that
    begins alike if at least the share `similarity` of its tokens is equal.
    """

    def __init__(self, similarity: float = 0.4, depth: int = 4, max_children: int = 100) -> None:
        if depth < 3:
            raise InputError(f"Drain needs a depth of at least 3 (root, length, templates), not {depth}.")
        self.similarity = similarity
        self.depth = depth
        self.max_children = max_children
        self._templates: list[list[str]] = []
        self._tree: dict[str, Any] = {}

    def fit(self, messages: Iterable[str]) -> Drain:
        """Learns the templates anew. Their order and form depend on the order of the messages: sort them first."""
        self._templates, self._tree = [], {}
        for message in messages:
            self._learn(message.split())
        return self

    def match(self, messages: Iterable[str]) -> list[int | None]:
        """For each message the index (in `templates`) of the template that covers it; None where there is none.

        Every message that was fitted is covered.
        """
        return [self._cover(message.split()) for message in messages]

    @property
    def templates(self) -> list[str]:
        """The text of each template, in the order in which they arose; variable tokens are `<*>`."""
        return [" ".join(template) for template in self._templates]

    def to_dict(self) -> dict[str, Any]:
        """All settings and state, ready for JSON."""
        settings = {"similarity": self.similarity, "depth": self.depth, "max_children": self.max_children}
        return {**settings, "templates": self._templates, "tree": self._tree}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Drain:
        drain = cls(state["similarity"], state["depth"], state["max_children"])
        drain._templates, drain._tree = state["templates"], state["tree"]
        return drain

    def _learn(self, tokens: list[str]) -> None:
        candidates = self._leaf(tokens)
        likeness = {index: _likeness(self._templates[index], tokens) for index in candidates}
        best = max(likeness, key=likeness.__getitem__, default=None)
        if best is None or (tokens and likeness[best][0] / len(tokens) < self.similarity):
            self._insert(tokens)
        else:
            pairs = zip(self._templates[best], tokens, strict=True)
            self._templates[best] = [old if old == new else WILDCARD for old, new in pairs]

    def _cover(self, tokens: list[str]) -> int | None:
        # A message can have been learned in another branch than the one that its first tokens lead to by now.
        for candidates in (self._leaf(tokens), _leaves(self._tree.get(_key(tokens), []))):
            covering = [index for index in candidates if _covers(self._templates[index], tokens)]
            if covering:
                return max(covering, key=lambda index: self._templates[index].count(WILDCARD))
        return None

    def _leaf(self, tokens: list[str]) -> list[int]:
        """The templates that begin like these tokens."""
        node = self._tree.get(_key(tokens), [])
        for token in self._prefix(tokens):
            if not node:
                return []
            node = node.get(token, node.get(WILDCARD, []))
        return node

    def _insert(self, tokens: list[str]) -> None:
        node, step = self._tree, _key(tokens)
        for token in self._prefix(tokens):
            node = node.setdefault(step, {})
            step = self._branch(node, token)
        node.setdefault(step, []).append(len(self._templates))
        self._templates.append(tokens)

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


def template_id(text: str) -> int:
    """The 64-bit content hash of a template's text: the same template has the same id everywhere."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def _key(tokens: list[str]) -> str:
    """The number of tokens, and the place and text of each that holds a constant."""
    constants = [f"{place}:{token}" for place, token in enumerate(tokens) if _CONSTANT.search(token)]
    return " ".join([str(len(tokens)), *constants])


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
