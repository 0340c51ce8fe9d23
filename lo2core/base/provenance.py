"""What is recorded about how tables, models and predictions were made, with the types that a reader can rely on.

It is kept as JSON: in the footer of a table, and in the manifest of a bundle. Anybody can write a file, so what is read
goes through `typed`: an entry of another type than declared counts as not recorded.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from math import inf
from types import NoneType, UnionType
from typing import Any, TypedDict, TypeVar, cast, get_args, get_origin, get_type_hints, is_typeddict

T = TypeVar("T")


class DataProvenance(TypedDict, total=False):
    """The command that made a table, and the hash of the counts that it was made from."""

    command: str
    data_fingerprint: str | None


class EvaluationProvenance(DataProvenance, total=False):
    """Provenance of the tables of evaluations. evaluations: the names of those that the command has made so far."""

    evaluations: list[str]


class ModelFacts(TypedDict, total=False):
    """What a model was made of. window: length in seconds of the windows it was trained on, None for whole logs.

    held_out: by service, what its held-out normals contain that the other runs do not (`detect.fitness.held_out`).
    formats: the formats of the logs of each service. in_part: the services with logs that were read in part. reading:
    the formats and described of `LoadOptions`, by which new logs are read in the same way.
    """

    detector: str
    items: str
    unit: str
    weighting: str
    params: dict[str, Any]
    services: list[str]
    runs: list[str]
    normal_incidents: int
    window: float | None
    data_fingerprint: str | None
    held_out: dict[str, dict[str, float]]
    formats: dict[str, list[str]]
    in_part: list[str]
    reading: dict[str, list[str]]


class FitnessFacts(TypedDict, total=False):
    """Whether a model fits the logs that it scored (`detect.fitness.Fitness`): verdict, reasons as sentences, and the
    verdict of each service.
    """

    verdict: str
    reasons: list[str]
    services: dict[str, str]


class BundleFacts(ModelFacts, total=False):
    """A model's facts, the command and workspace that it was trained by, and a note where not all logs were used as
    they are. vouched: when a person vouched for it.
    """

    command: str
    workspace: str
    note: str
    vouched: str


class PredictionProvenance(DataProvenance, total=False):
    """The bundle that made predictions (path, SHA-256, facts, versions of libraries), the threshold that they got, and
    whether the bundle fits the logs.
    """

    bundle: str
    bundle_sha256: str | None
    model: ModelFacts
    versions: dict[str, str]
    window: float | None
    threshold: float
    budget: float
    fitness: FitnessFacts


class Metadata(PredictionProvenance, total=False):
    """All that a footer can say. Empty for a table that was written by hand.

    table, created, version: of every table. generation: the same in tables that were written together. masks, options,
    load (a hash of what was asked for): of loaded logs. prediction, incident, compared: of a kept explanation or
    comparison.
    """

    table: str
    generation: str
    created: str
    version: str
    masks: str
    options: dict[str, Any]
    load: str
    prediction: str
    incident: str
    compared: list[str]


class SelfTest(TypedDict):
    """Made-up rows of one service and the scores that they had when the bundle was saved: columns and counts by row."""

    service: str
    columns: list[list[int]]
    counts: list[list[float]]
    scores: list[float]


class Manifest(TypedDict, total=False):
    """What a bundle's manifest says; true only when its signature is."""

    format: int
    bundle: str
    sha256: str
    bytes: int
    created: str
    versions: dict[str, str]
    facts: BundleFacts
    selftest: list[SelfTest]
    key_id: str
    signature: str


def typed(kind: type[T], value: object) -> T:
    """A JSON object as the TypedDict `kind`: entries of another type than declared are left out.

    What is not an object is read as an empty one; entries that `kind` does not declare are kept.
    """
    entries = value if isinstance(value, dict) else {}
    hints = _hints(cast(Hashable, kind))
    fitting = {name: part for name, part in entries.items() if name not in hints or _fits(part, hints[name])}
    nested = {name: typed(hints[name], part) for name, part in fitting.items() if is_typeddict(hints.get(name))}
    return cast(T, fitting | nested)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _fits(value: object, hint: Any) -> bool:
    if hint is Any:
        return True
    if get_origin(hint) is UnionType:
        return any(_fits(value, each) for each in get_args(hint))
    if get_origin(hint) is list:
        return isinstance(value, list) and all(_fits(each, get_args(hint)[0]) for each in value)
    if get_origin(hint) is dict or is_typeddict(hint):
        of = get_args(hint)[1] if get_origin(hint) is dict else Any
        return isinstance(value, dict) and all(_fits(each, of) for each in value.values())
    if hint in (int, float):
        return isinstance(value, (int, hint)) and not isinstance(value, bool) and abs(value) < inf
    return isinstance(value, NoneType if hint is None else hint)
