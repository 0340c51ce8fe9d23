"""Groups messages into templates: which tokens are variable, given the distinct messages of one log.

Messages of a template have the same header, the same number of tokens, and the same constants and words for faults in
the same positions. Two messages that differ in one token only share a template if that token is variable: if it
contains a value that was masked, is in quotes, or has many values. What differs from template to template is decided by
the messages alone, so the order of the messages does not matter.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from functools import lru_cache
from itertools import combinations, pairwise

from lo2core.messages.variables import WILDCARD

Tokens = tuple[str, ...]

CONSTANT = re.compile(
    r"(?<![A-Za-z0-9_<])"
    r"(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]{2,}-?[0-9]{5,}|[A-Z]{8,})"  # CLIENT_NOT_FOUND, ERR12011, AUTHENTICATED
    r"(?![A-Za-z0-9_>])"
)
"""Error codes and constants, which identify a message. Masks such as `<CREDENTIALS>` are not constants."""

_CAPITALS = re.compile(r"[A-Z]{2,}")
_FAULT = re.compile(
    r"(?i)\b(?:abort|corrupt|crash|den(?:y|ied)|disconnect|error|exception|exceed|expire|fail|fatal|illegal|invalid|kill"
    r"|lost|missing|overflow|panic|refuse|reject|reset|time(?:d|out)|unable|unavailable|unexpected|unknown|unreachable"
    r"|violat|warn)[a-z]*"
)
"""Words that name a fault are never variable."""

_ASSIGNED = re.compile(r"""(?<==)(?:"[^"]*"|'[^']*')""")
_OPENING, _CLOSING = "\"'([{", ")]},;:.!?\"'"

_ANNOUNCES = frozenset(
    (
        *("user", "users", "account", "group", "host", "node", "client", "server", "service", "class", "file", "named"),
        *("name", "domain", "device", "interface", "thread", "task", "job", "process", "program", "module", "package"),
        *("container", "image", "instance", "database", "table", "topic", "queue", "key", "session", "address", "port"),
        *("path", "directory", "for", "from", "to", "at", "of", "on", "in", "with", "by"),
    )
)
"""Words after which a name usually follows."""

_VALUES_IN_QUOTES, _VALUES_AFTER_NAMES, _VALUES_OF_KEYS, _VALUES = 2, 3, 4, 6
"""How many values make a token variable: in quotes, after a word that announces a name, after `=` or `:`, elsewhere."""

_CROWD = 100
"""From so many templates with the same first token and length on, tokens that are rare among them are variable."""

_COMMON = 0.05
"""Share of the templates of such a crowd from which on a token is not rare."""

_MOST_TEMPLATES = 1_000
"""With more templates of a group, the first word is free text, too."""

_LARGE = 5_000
"""Rare tokens of larger groups are replaced at once, since comparing all of their messages would take minutes."""

_MOST_IN_PAIRS, _MOST_PLACES = 500, 30
"""Templates of a group, and tokens of a template, among which two variable tokens at once are searched."""

_MOST_TOKENS, _LONGEST_TOKEN = 100, 200
"""The rest of a longer message, and of a longer token, is variable."""


def tokens_of(text: str) -> Tokens:
    """The tokens of a general text. Quoted values after `=` are variable, repeated variable tokens become one."""
    if '="' in text or "='" in text:
        text = _ASSIGNED.sub(lambda value: value[0] if CONSTANT.search(value[0]) else WILDCARD, text)
    tokens = [_cut(token) for token in text.split()]
    kept = [token for token, after in pairwise([*tokens, ""]) if token != after or WILDCARD not in token]
    return tuple(kept if len(kept) <= _MOST_TOKENS else [*kept[:_MOST_TOKENS], WILDCARD])


def _cut(token: str) -> str:
    return token if len(token) <= _LONGEST_TOKEN else token[:_LONGEST_TOKEN] + WILDCARD


def merged(messages: Collection[Tokens]) -> set[Tokens]:
    """The templates of distinct messages of one header."""
    groups: dict[tuple[int, tuple[tuple[int, str], ...]], set[Tokens]] = defaultdict(set)
    for tokens in messages:
        groups[group_key(tokens)].add(tokens)
    return {template for key, group in groups.items() for template in _merged(group, dict(key[1]))}


def group_key(tokens: Tokens) -> tuple[int, tuple[tuple[int, str], ...]]:
    """What all messages of a template have in common: the number of tokens, and the fixed ones with their positions."""
    return len(tokens), tuple((at, token) for at, token in enumerate(tokens) if is_fixed(token))


@lru_cache(maxsize=65_536)
def is_fixed(token: str) -> bool:
    """Whether a token is never variable: a constant, a word in capitals, a word for a fault."""
    return bool(CONSTANT.search(token) or _FAULT.search(token) or _CAPITALS.fullmatch(parts(token)[1]))


@lru_cache(maxsize=65_536)
def parts(token: str) -> tuple[str, str, str]:
    """The key in front of a value with what separates it, the value, and the punctuation after it."""
    end = token.rfind("=", 0, -1) + 1 or max(token.rfind(mark, 0, -1) for mark in ":([{") + 1
    end = end or len(token) - len(token.lstrip(_OPENING))
    value = token[end:].rstrip(_CLOSING)
    return token[:end], value, token[end + len(value) :]


def _merged(group: set[Tokens], fixed: dict[int, str]) -> set[Tokens]:
    places = [at for at in range(len(next(iter(group)))) if at not in fixed]
    if len(group) > _LARGE:
        group = _thinned(group, places)
    before: set[Tokens] = set()
    while group != before and len(group) > 1:
        before = group
        for at in places:
            group = _merge_at(group, (at,))
        if 2 < len(group) <= _MOST_IN_PAIRS and len(places) <= _MOST_PLACES:
            for pair in combinations(places, 2):
                group = _merge_at(group, pair)
    return _thinned(group, places)


def _merge_at(group: set[Tokens], places: tuple[int, ...]) -> set[Tokens]:
    """The group after messages that differ only at these places were merged where all of them are variable."""
    alike: dict[Tokens, list[Tokens]] = defaultdict(list)
    for tokens in group:
        rest = list(tokens)
        for at in places:
            rest[at] = parts(tokens[at])[0]
        alike[tuple(rest)].append(tokens)
    result: set[Tokens] = set()
    for rest_, members in alike.items():
        result |= _variable(rest_, members, places) if len(members) > 1 else set(members)
    return result


def _variable(rest: Tokens, members: list[Tokens], places: tuple[int, ...]) -> set[Tokens]:
    """The members, merged if the tokens at all these places are variable."""
    single = len(places) == 1
    merging = members
    if single and places[0] == 0:  # the first word names the event, unless it is a value itself
        merging = [tokens for tokens in members if WILDCARD in parts(tokens[0])[1]]
    for at in places:
        values = {tokens[at] for tokens in merging}
        if (at == 0 and not single) or not _is_variable(values, rest[at - 1] if at else "", single):
            return set(members)
    if not merging:
        return set(members)
    template = list(merging[0])
    for at in places:
        template[at] = _joined([tokens[at] for tokens in merging])
    return {tuple(template), *(tokens for tokens in members if tokens not in merging)}


def _is_variable(tokens: set[str], previous: str, single: bool) -> bool:
    values = [parts(token) for token in tokens]
    if (single or values[0][0]) and any(WILDCARD in value for _, value, _ in values):
        return True
    if all(token[0] in "\"'" for token in tokens):
        needed = _VALUES_IN_QUOTES
    elif values[0][0]:
        needed = _VALUES_OF_KEYS
    else:
        needed = _VALUES_AFTER_NAMES if previous.lower().strip("\"':") in _ANNOUNCES else _VALUES
    return len(tokens) >= needed


def _joined(tokens: Iterable[str]) -> str:
    """One token for several: their common key, a wildcard, and the most frequent punctuation."""
    split = [parts(token) for token in tokens]
    ends = Counter(end for _, _, end in split)
    return split[0][0] + WILDCARD + min(ends, key=lambda end: (-ends[end], end))


def _thinned(group: set[Tokens], places: list[int]) -> set[Tokens]:
    """The group, with rare tokens of crowds replaced: so many messages with the same first word are free text."""
    crowds: dict[str, list[Tokens]] = defaultdict(list)
    for tokens in group:
        crowds[tokens[0] if tokens else ""].append(tokens)
    result: set[Tokens] = set()
    for crowd in crowds.values():
        result |= _without_rare(crowd, [at for at in places if at]) if len(crowd) > _CROWD else set(crowd)
    return _without_rare(list(result), places) if len(result) > _MOST_TEMPLATES else result


def _without_rare(crowd: list[Tokens], places: list[int]) -> set[Tokens]:
    counts = {at: Counter(tokens[at] for tokens in crowd) for at in places}
    enough = _COMMON * len(crowd)
    return {
        tuple(
            token if at not in counts or counts[at][token] >= enough else parts(token)[0] + WILDCARD
            for at, token in enumerate(tokens)
        )
        for tokens in crowd
    }
