"""Fitness: whether a model knows the logs that it scores as well as it knew its own held-out normals.

The yardstick is measured when a model is trained (`known_items.held_out`): the share of the messages and requests of
each normal run that no other run contains. New logs are compared with it, service by service. The verdict is a
statement next to the scores and never changes one.

Faults are no misfit. A service is judged by its median sequence, so what happens in fewer than half of the test cases
does not count. New warnings and errors do not count either, nor what occurs only in requests with one of them, provided
that the logs have the format of the training logs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from scipy import special

from lo2core.base.provenance import FitnessFacts, ModelFacts, typed
from lo2core.base.text import plural
from lo2core.detect.known_items import MESSAGE, REQUEST, Flags, Occurrences, members, occurrences
from lo2core.detect.logs import Logs
from lo2core.detect.model import Model
from lo2core.detect.predict import listed, other_windows, unknown_services
from lo2core.detect.units import unit_of
from lo2core.detect.vectorizer import Vectorizer
from lo2core.messages.salience import is_problem

FITS, IN_PART, NOT_AT_ALL = "fits", "fits in part", "does not fit"
UNJUDGED = "cannot be judged"

LEAST = 0.01
"""A share of new items that is larger than usual by less than this is no misfit: one message in a hundred."""
CONFIDENCE = 0.95
"""Of the prediction interval for the share of one more normal run."""

MOSTLY = 0.5
"""If a larger share of the messages of normal runs is in no other run, new messages say nothing about the model."""

_MOST_REASONS = 3
"""Most services whose reasons are given in full."""


@dataclass(frozen=True)
class ServiceFitness:
    """The verdict on the logs of one service. why: in words; may be empty. is_new: whether more is new than usual."""

    service: str
    verdict: str
    why: str = ""
    is_new: bool = False


@dataclass(frozen=True)
class Fitness:
    """Whether a model fits logs: verdict, reasons as whole sentences, and the verdict of each service."""

    verdict: str
    reasons: tuple[str, ...] = ()
    services: tuple[ServiceFitness, ...] = ()

    @property
    def sentence(self) -> str:
        """The verdict and the reasons as text."""
        return " ".join(self.sentences)

    @property
    def sentences(self) -> tuple[str, ...]:
        return _VERDICTS[self.verdict], *self.reasons

    @property
    def facts(self) -> FitnessFacts:
        """As it is recorded with predictions."""
        services = {one.service: one.verdict for one in self.services}
        return {"verdict": self.verdict, "reasons": list(self.reasons), "services": services}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Fitness | None:
        """From what was recorded; None if that is no verdict."""
        if facts.get("verdict") not in _VERDICTS:
            return None
        services = tuple(ServiceFitness(*each) for each in facts.get("services", {}).items())
        return cls(facts["verdict"], tuple(facts.get("reasons", ())), services)


_VERDICTS = {
    FITS: "The model fits these logs.",
    IN_PART: "The model fits these logs in part.",
    NOT_AT_ALL: "The model does not fit these logs: its scores say little about them.",
    UNJUDGED: "Whether the model fits these logs cannot be judged.",
}


def judge(model: Model, vec: Vectorizer, logs: Logs, window: float | None = None) -> Fitness:
    """The verdict on these logs. window: of the logs, in seconds."""
    columns = unit_of(model).columns_of(vec, logs.items.messages.filter(kind=MESSAGE))
    found = None if columns is None else occurrences(logs.items, logs.sequences, vec, columns)
    services = sorted(logs.sequences["service"].unique())
    judge = _Judge(model, vec, logs, found)
    judged = tuple(judge.verdict(service) for service in services)
    absent = sorted(set(model.detectors) - {""} - set(services))
    windows = other_windows(model.facts, window)
    verdict = _overall(judged, bool(windows) and unit_of(model).from_counts, bool(windows or absent))
    return Fitness(verdict, tuple(_reasons(model, judged, absent, windows, logs.reading.sentence)), judged)


@dataclass(frozen=True)
class _Measured:
    """Shares of items in the median sequence of a service.

    unknown: all that the model does not know; misfit: without what a fault explains. usual: unknown ones in held-out
    normal runs; limit: the largest share that one more of these may have.
    """

    noun: str
    unknown: float
    misfit: float
    usual: float
    limit: float

    def mostly(self, share: float) -> bool:
        """Whether the model knows less than half of what it knew of held-out normal runs."""
        return 1 - share < (1 - self.usual) / 2

    def words(self, share: float) -> str:
        aside = " (without warnings, errors and their requests)" if share < self.unknown else ""
        usual = f"compared with {_percent(self.usual)} in held-out normal runs"
        return f"{_percent(share)} of the {self.noun}s{aside} are new to the model, {usual}"


@dataclass(frozen=True)
class _Judge:
    """Judges the logs of one service at a time. found: None if items cannot be derived from messages."""

    model: Model
    vec: Vectorizer
    logs: Logs
    found: dict[str, Occurrences] | None

    @cached_property
    def facts(self) -> ModelFacts:
        """Those of the model with the types that they must have: a bundle may come from elsewhere."""
        return typed(ModelFacts, self.model.facts)

    def verdict(self, service: str) -> ServiceFitness:
        name = service if self.model.by_service else ""
        here = self.logs.sequences.filter(service=service)
        unread = int(here["seq_id"].is_in(self.logs.unread.implode()).sum())
        if name not in self.model.detectors:
            return ServiceFitness(service, NOT_AT_ALL, "the model does not know this service")
        if unread == here.height:
            return ServiceFitness(service, NOT_AT_ALL, "not one line could be read")
        if why := self._why_unjudged(name):
            return ServiceFitness(service, UNJUDGED, why)
        other = self._other_format(name, service)
        measured = self._measured(name, service, excusing=not other)
        found = _compared(service, measured) if measured else self._empty(name, service)
        if found.verdict == FITS and unread:
            return ServiceFitness(service, IN_PART, f"{plural(unread, 'log')} could not be read")
        if found.verdict == FITS and self._is_newly_in_part(service):
            found = replace(found, verdict=IN_PART)
        read_as = f"read as {other}, unlike the training logs" if other else ""
        return replace(found, why="; ".join(filter(None, [found.why, read_as])))

    def _is_newly_in_part(self, service: str) -> bool:
        """Whether logs of the service were read in part, and none of the training logs."""
        return service in self.logs.reading.services_in_part and service not in self.facts.get("in_part", [])

    def _empty(self, name: str, service: str) -> ServiceFitness:
        """The verdict if nothing can be compared."""
        if any(every.of(service).rows.height for every in (self.found or {}).values()):
            return ServiceFitness(service, UNJUDGED, "fewer than two of the training runs have events of it")
        if not {MESSAGE, REQUEST} & self.facts["held_out"][name].keys():
            return ServiceFitness(service, FITS)
        if self.logs.sequences.filter(service=service)["events"].sum():
            return ServiceFitness(service, NOT_AT_ALL, f"no {self.vec.items}, which the model counts")
        return ServiceFitness(service, IN_PART, "no events, unlike in normal runs")

    def _why_unjudged(self, name: str) -> str:
        usual = self.facts.get("held_out", {}).get(name)
        if self.found is None:
            return "what the model counts cannot be derived from loaded logs"
        if not usual:
            return "the model does not record what its held-out normal runs contain: train it again"
        if usual.get(MESSAGE, 0) > MOSTLY:
            return (
                f"{_percent(usual[MESSAGE])} of its messages in held-out normal runs are in no other run, so that new "
                "ones say nothing: mask what varies, or count templates (--items templates)"
            )
        if usual.get("runs", 0) < 2:
            return "the model was trained on one normal run, which is not enough to know how much normal runs differ"
        return ""

    def _other_format(self, name: str, service: str) -> str:
        """The format of the logs if no training log had it; empty if one had, or if that is not recorded.

        Wrappers do not count: they are removed before a line is read.
        """
        recorded, here = self.facts.get("formats", {}), self.logs.reading.formats.get(service, ())
        trained = {_bare(each) for of, names in recorded.items() if name in ("", of) for each in names}
        other = [each for each in here if _bare(each) not in trained]
        return "; ".join(other) if trained and len(other) == len(here) else ""  # names contain commas

    def _measured(self, name: str, service: str, excusing: bool) -> list[_Measured]:
        """Of messages first, then of requests; without kinds that do not occur here or in held-out normal runs."""
        known = np.asarray(self.model.normals[name][1].getnnz(axis=0) > 0)
        usual, measured = self.facts["held_out"][name], []
        for kind, every in (self.found or {}).items():
            part = every.of(service)
            if part.rows.height and {kind, f"{kind}_sd"} <= usual.keys():
                unknown = part.unknown(known, self.vec)
                misfit = unknown & ~self._excused(kind, service, known) if excusing else unknown
                shares = _in_median(part, unknown), _in_median(part, misfit)
                measured.append(_Measured(kind, *shares, usual[kind], _limit(usual, kind)))
        return measured

    def _excused(self, kind: str, service: str, known: Flags) -> Flags:
        """Which items a fault explains: problems new to the model, and what occurs only in requests with one of them.

        A request that fails as normal requests do explains nothing.
        """
        found = self.found or {}
        if MESSAGE not in found:  # the model counts requests only
            return self._problems(kind)
        problem = self._problems(MESSAGE) & found[MESSAGE].unknown(known, self.vec)
        of = members(self.logs.items)
        failed = np.asarray(of @ problem.astype(np.float64) > 0)
        if kind == REQUEST:
            return failed
        here = np.isin(np.arange(len(failed)), found[REQUEST].of(service).rows["item"].to_numpy())
        in_failed, in_others = (np.asarray(of[which].getnnz(axis=0) > 0) for which in (here & failed, here & ~failed))
        return np.asarray(problem | (in_failed & ~in_others))

    def _problems(self, kind: str) -> Flags:
        items = self.logs.items.messages.filter(kind=kind)
        return items.select(is_problem(pl.col("text"))).to_series().to_numpy().astype(bool)


def _in_median(part: Occurrences, marked: Flags) -> float:
    """The share of marked items in the median sequence."""
    return float(np.median(part.shares(marked)["share"].to_numpy()))


def _limit(usual: Mapping[str, float], kind: str) -> float:
    """The largest share that one more normal run may have: by a prediction interval, at least `LEAST` above usual.

    The fewer runs, the wider it is, also if they happen to be alike: their spread counts as at least half of `LEAST`.
    """
    runs, spread = usual["runs"], max(usual[f"{kind}_sd"], LEAST / 2)
    margin = special.stdtrit(runs - 1, CONFIDENCE) * spread * np.sqrt(1 + 1 / runs)
    return float(usual[kind] + max(LEAST, margin))


def _bare(form: str) -> str:
    return form.rpartition(" > ")[2]


def _compared(service: str, measured: Sequence[_Measured]) -> ServiceFitness:
    main = measured[0]
    if main.mostly(main.misfit):
        return ServiceFitness(service, NOT_AT_ALL, main.words(main.misfit), is_new=True)
    for one in measured:
        if one.misfit > one.limit:
            return ServiceFitness(service, IN_PART, one.words(one.misfit), is_new=True)
    if main.mostly(main.unknown):
        why = f"{main.words(main.unknown)}; most of them are warnings or errors, or in requests with one"
        return ServiceFitness(service, IN_PART, why)
    return ServiceFitness(service, FITS)


def _overall(judged: Sequence[ServiceFitness], invalid: bool, partly: bool) -> str:
    """invalid: whether other windows make the scores invalid. partly: whether windows or services differ.

    Faults and new versions concern one service or few, so a model of whose services most are new fits not at all.
    """
    verdicts = [one.verdict for one in judged]
    no, new = verdicts.count(NOT_AT_ALL), sum(one.is_new for one in judged)
    foreign = any(one.is_new and one.verdict == NOT_AT_ALL for one in judged)
    of = len(verdicts) - (verdicts.count(UNJUDGED) if foreign else 0)
    if invalid or 2 * no > of or (new > 1 and 2 * new > len(verdicts)):
        return NOT_AT_ALL
    if {*verdicts} <= {UNJUDGED, NOT_AT_ALL}:
        return UNJUDGED
    return IN_PART if partly or {*verdicts} != {FITS} else FITS


def _reasons(
    model: Model, judged: Sequence[ServiceFitness], absent: Sequence[str], windows: str, in_part: str
) -> Iterator[str]:
    """Sentences, those about the whole first; services with the same reason are named together."""
    names = pl.Series([one.service for one in judged], dtype=pl.String)
    strange = model.unknown_services(names) if model.by_service else []
    yield from filter(None, [windows, unknown_services(model, names) if strange else ""])
    if absent and len(strange) < len(judged):
        yield f"These logs contain nothing of {listed(absent)}."
    yield from filter(None, [in_part])
    of_reason: dict[str, list[str]] = {}
    for one in judged:
        if one.why and one.service not in strange:
            of_reason.setdefault(one.why, []).append(one.service)
    named = [(listed(services), why) for why, services in of_reason.items()]
    for services, why in named[:_MOST_REASONS]:
        yield f"{services or 'All'}: {why}."
    if more := [services for services, _ in named[_MOST_REASONS:]]:
        yield f"Likewise {', '.join(more)}."


def _percent(share: float) -> str:
    """A share to two digits, and never 0 % for one that is not 0."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:.0f} %"
