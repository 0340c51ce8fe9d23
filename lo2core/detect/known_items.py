"""Which messages and requests a vectorizer knows, and how many normal runs contain that no other run does.

An item is known if all that the vectorizer counts of it is: the message itself, its template, each of its words. A
request is known if all its messages are and, where requests are counted, the request itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from lo2core.detect.vectorizer import Vectorizer
from lo2core.messages.counts import MessageCounts

MESSAGE, REQUEST = "message", "request"

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Occurrences:
    """Where items of one kind occur.

    rows: seq_id, run, service, item (a row of `columns`), n. columns: csr [n_items, n_columns], not zero where an item
    has something that the vectorizer counts in that column.
    """

    rows: pl.DataFrame
    columns: sparse.csr_matrix

    def of(self, service: str) -> Occurrences:
        """Those in the sequences of one service."""
        return Occurrences(self.rows.filter(service=service), self.columns)

    def shares(self, marked: Flags) -> pl.DataFrame:
        """One row per sequence: run, seq_id, share of its items that are marked (bool [n_items])."""
        counted = self.rows.with_columns(marked=pl.col("n") * pl.Series(marked).gather(self.rows["item"]))
        sums = counted.group_by("run", "seq_id").agg(pl.col("marked", "n").sum())
        return sums.select("run", "seq_id", share=pl.col("marked") / pl.col("n"))

    def unknown(self, known: Flags, vec: Vectorizer) -> Flags:
        """Which items have anything outside the known columns (bool [n_columns]).

        Columns of numbers are always known, columns of unseen items never.
        """
        n_items, ours = vec.vocabulary_.height, known.copy()
        ours[n_items : n_items + len(vec.numeric_columns)] = True
        ours[len(ours) - vec.unseen_columns :] = False
        return np.asarray((self.columns != 0) @ (~ours).astype(np.float64) > 0)


def occurrences(
    items: MessageCounts, sequences: pl.DataFrame, vec: Vectorizer, of_messages: sparse.csr_matrix
) -> dict[str, Occurrences]:
    """The messages and requests of sequences (seq_id, run, service); no messages if the vectorizer counts none.

    of_messages: csr [n_messages, n_columns], what is counted of each message of `items`.
    """
    messages, requests = (items.messages.filter(kind=kind) for kind in (MESSAGE, REQUEST))
    of_requests = members(items) @ of_messages
    if "requests" in vec.kinds:
        of_requests = of_requests + vec.transform_messages(requests).X
    kinds = {MESSAGE: (messages, of_messages), REQUEST: (requests, of_requests)}
    if vec.kinds == ("requests",):
        del kinds[MESSAGE]
    return {kind: Occurrences(_found(items, sequences, named), X) for kind, (named, X) in kinds.items()}


def members(items: MessageCounts) -> sparse.csr_matrix:
    """Which messages a request kind consists of: csr [n_requests, n_messages]."""
    messages, requests = (items.messages.filter(kind=kind) for kind in (MESSAGE, REQUEST))
    pairs = requests.with_row_index("request").select("request", message_id="members").explode("message_id")
    pairs = pairs.join(messages.select("message_id").with_row_index("message"), on="message_id")
    where = (pairs["request"].to_numpy(), pairs["message"].to_numpy())
    return sparse.csr_matrix((np.ones(pairs.height), where), shape=(requests.height, messages.height))


def _found(items: MessageCounts, sequences: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    numbered = named.select("kind", "message_id").with_row_index("item")
    of = sequences.select("seq_id", "run", "service").unique("seq_id")
    counts = items.counts.join(numbered, on=["kind", "message_id"]).join(of, on="seq_id")
    return counts.select("seq_id", "run", "service", "item", "n")


def held_out(found: dict[str, Occurrences], rows: pl.DataFrame, vec: Vectorizer) -> dict[str, dict[str, float]]:
    """How unlike each other the normal runs of each service are: the yardstick for new logs.

    runs: the number of runs. message, request: the share that no other run of the service contains, in the median
    sequence of a run, on average over the runs; message_sd, request_sd: its standard deviation. Shares are missing for
    kinds that occur in fewer than two runs. found: of the normal `rows` of a source, by kind.
    """
    runs = rows.group_by("service").agg(pl.col("run").n_unique().cast(pl.Float64)).sort("service")
    shares = {service: {"runs": n} for service, n in runs.iter_rows()}
    for kind, every in found.items():
        for service, measured in shares.items():
            by_run = _left_out_shares(every.of(service), vec)
            if len(by_run) > 1:
                measured |= {kind: float(by_run.mean()), f"{kind}_sd": float(by_run.std(ddof=1))}
    return shares


def _left_out_shares(part: Occurrences, vec: Vectorizer) -> NDArray[np.float64]:
    """The share of each run that no other run contains, in its median sequence."""
    if not part.rows.height:
        return np.zeros(0)
    run = part.rows["run"].rank("dense").to_numpy().astype(int) - 1
    shape = (int(run.max()) + 1, part.columns.shape[0])
    present = sparse.csr_matrix((np.ones(len(run)), (run, part.rows["item"].to_numpy())), shape=shape)
    in_several = np.asarray((present @ part.columns).getnnz(axis=0) > 1)
    shares = part.shares(part.unknown(in_several, vec))
    return shares.group_by("run").agg(pl.col("share").median())["share"].to_numpy()
