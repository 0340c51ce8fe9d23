"""What a score means: its place among normals that the detector has not seen, and the threshold of a model.

A score is the detector's own number. `z_score` relates it to held-out normals of the same service, so that scores of
several services can be compared. The threshold is one z for all services, derived from the alert budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lo2core.base.errors import InputError
from lo2core.base.text import are
from lo2core.base.types import Floats, Integers


@dataclass(frozen=True)
class Calibration:
    """The sorted scores of the unseen normals of one service, the number of rows with each score, and their sequences.

    unseen_z: the z of each normal relative to the normals of other folds (`left_out_z`). seq_ids and unseen_z are empty
    if they are not known, as in bundles that were written by hand or by an earlier version.
    """

    __module__ = "lo2core"

    scores: Floats
    weights: Floats
    seq_ids: Sequence[str] = ()
    unseen_z: Sequence[float] = ()

    @property
    def mean(self) -> float:
        return float(np.average(self.scores, weights=self.weights))

    @property
    def spread(self) -> float:
        """Standard deviation plus 5 % of the mean, so that near-constant scores have no huge z; 1 if both are 0."""
        variance = float(np.average((self.scores - self.mean) ** 2, weights=self.weights))
        return float(np.sqrt(variance)) + 0.05 * abs(self.mean) or 1.0

    def z(self, scores: Floats) -> Floats:
        return (scores - self.mean) / self.spread

    def p(self, scores: Floats) -> Floats:
        """(1 + held-out normals that score at least as high) / (1 + all held-out normals)."""
        below = np.concatenate([[0.0], np.cumsum(self.weights)])[np.searchsorted(self.scores, scores, side="left")]
        total = self.weights.sum()
        return np.asarray((1 + total - below) / (total + 1))

    @property
    def normal_z(self) -> Floats:
        """z of the unseen normals, sorted by score: `unseen_z` if it is known, otherwise `z` of their scores."""
        return np.asarray(self.unseen_z) if len(self.unseen_z) else self.z(self.scores)

    @classmethod
    def of(
        cls, scores: Floats, weights: Floats, seq_ids: Sequence[str] = (), unseen_z: Sequence[float] = ()
    ) -> Calibration:
        order = np.argsort(scores, kind="stable")
        named, others = ([column[row] for row in order] if len(column) else () for column in (seq_ids, unseen_z))
        return cls(scores[order], weights[order], named, others)


def left_out_z(scores: Floats, weights: Floats, folds: Integers) -> Floats:
    """z of the unseen normals of one service, each fold relative to the mean and spread of the other folds.

    A normal that contributes to the mean and spread gets a lower z than a new one would, especially if there are few.
    A single fold is compared with itself.
    """
    z = np.empty(len(scores))
    for fold in np.unique(folds):
        mine = folds == fold
        others = mine if mine.all() else ~mine
        z[mine] = Calibration.of(scores[others], weights[others]).z(scores[mine])
    return z


@dataclass(frozen=True)
class Threshold:
    """One z for all services: rows at or above it are alarms. estimated: there are too few normals for the budget."""

    __module__ = "lo2core"

    z: float
    budget: float
    n_normals: int
    estimated: bool

    @property
    def note(self) -> str:
        """A sentence if the threshold is estimated; otherwise empty."""
        if not self.estimated:
            return ""
        return (
            f"Estimated threshold: {are(self.n_normals, 'held-out normal incident')} too few for a budget of "
            f"{self.budget:g} in 100, so it is just above their largest z. Expect about one false alarm in "
            f"{self.n_normals + 1} new normal incidents."
        )


def check_budget(budget: float) -> None:
    """Raises InputError unless the budget is at least 0 and below 100."""
    if not 0 <= budget < 100:
        raise InputError(
            f"The alert budget is a number of false alarms per 100 normal incidents, 0 or more and below 100; found "
            f"{budget:g}."
        )


def threshold_for(normal_z: Floats, budget: float) -> Threshold:
    """The threshold at which at most `budget` of 100 unseen normal incidents are alarms.

    normal_z: one z per incident, that of its worst service. Of n incidents, floor((n + 1) * budget / 100), but at most
    n - 1, may be alarms, as in split conformal prediction; the threshold never separates incidents with equal z. If
    none may be, the threshold is just above the largest z, which about one of n + 1 new normals exceeds. Raises
    InputError unless the budget is at least 0 and below 100.
    """
    check_budget(budget)
    ordered = np.sort(normal_z)[::-1]
    allowed = min(int((len(ordered) + 1) * budget / 100), len(ordered) - 1)
    passing = ordered[ordered > ordered[allowed]]
    if not len(passing):
        return Threshold(float(np.nextafter(ordered[0], np.inf)), budget, len(ordered), True)
    return Threshold(float((passing[-1] + ordered[allowed]) / 2), budget, len(ordered), False)
