"""The vectorizer: from counts, or from the columns of a frame, to one sparse matrix with a fixed vocabulary.

It is fitted once, on training rows, saved with the model and reused. The columns are the distinct items of these rows,
in the order of their 64-bit ids. The last columns count items outside the vocabulary, so that nothing new is lost: one
column for all of them, or several to which items are assigned by id (feature hashing, Weinberger et al. 2009).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs
from scipy import sparse

from lo2core.base.calls import as_frame, check_column, checked_arguments, understood
from lo2core.base.errors import InputError, choices
from lo2core.base.table import DataType
from lo2core.messages.counts import MessageCounts
from lo2core.messages.hashing import content_hash, message_ids
from lo2core.messages.masks import Masker
from lo2core.messages.templates import UNSEEN, Templates
from lo2core.messages.text import event_lines, trigrams, words

ITEM_KINDS = ("messages", "templates", "requests", "words", "trigrams")
WEIGHTINGS = ("counts", "log1p", "binary", "tf-idf")
_KINDS_OF = {"event": ("messages", "templates", "words", "trigrams")}
"""Kinds of items in units that do not have all kinds: a single event contains no request."""

_OWN_IDS = ("messages", "requests")
"""Kinds whose items have the ids of the counted messages, traces and requests, so that their lines can be found."""
_FRAME_KINDS = {
    "e_message_normalized": "messages",
    "e_event_drain_id": "templates",
    "e_words": "words",
    "e_trigrams": "trigrams",
}


def check_items(items: str, unit: str = "sequence") -> None:
    """Raises InputError for kinds of items that do not exist, are named twice, or do not occur in the unit."""
    kinds = items.split("+")
    available = _KINDS_OF.get(unit, ITEM_KINDS)
    for kind in kinds:
        if kind not in ITEM_KINDS:
            raise InputError(f"Unknown items {kind!r}. {choices(kind, ITEM_KINDS)}")
        if kind not in available:
            raise InputError(f"Single {unit}s contain no {kind}. {choices(kind, available)}")
        if kinds.count(kind) > 1:
            raise InputError(f"The items {items} name {kind} twice: name each kind once.")


def check_types(frame: pl.DataFrame, item_column: str, numeric_columns: Sequence[str]) -> None:
    """Raises InputError for a numeric column without numbers, and for an item column without items."""
    for name in numeric_columns:
        check_column(frame, name, _is_number, "numbers")
    check_column(frame, item_column, _is_item, "texts or whole numbers, or lists of them")


def _is_number(dtype: DataType) -> bool:
    return dtype.is_numeric() or dtype.is_temporal() or dtype == pl.Boolean


def _is_item(dtype: DataType) -> bool:
    inner = dtype.inner if isinstance(dtype, pl.List) else dtype
    return inner in (pl.String, pl.Categorical, pl.Enum, pl.Boolean, pl.Null) or inner.is_integer()


@dataclass(frozen=True)
class Encoded:
    """X: csr float64 [n_rows, n_items + unseen columns]; unseen: the items outside the vocabulary (row, feature, n)."""

    X: sparse.csr_matrix
    unseen: pl.DataFrame


class Vectorizer:
    """Counts items of sequences, events or rows of a frame: a sparse matrix with a fixed vocabulary.

    items: "messages", "templates", "requests", "words" or "trigrams", or several joined by "+". weighting: "counts",
    "log1p", "binary" or "tf-idf" (smoothed as in scikit-learn). masker: for the texts of frames; None for the default
    masks. item_column, numeric_columns: the columns to use if rows come from a frame. unseen_columns: number of
    columns, the last ones, that count items outside the vocabulary; several of them separate items by feature hashing
    (Weinberger et al., ICML 2009). `fit` learns vocabulary and templates from given sequences only. `transform` returns
    `Encoded`: X, csr float64 [n_sequences, n_columns], and unseen, the items outside the vocabulary (row, feature, n).
    `feature_names_` names the columns.
    Raises InputError for unknown items or weightings, and if there is nothing to learn from.

    Examples:
        >>> from lo2core import LO2Loader, Vectorizer
        >>> loader = LO2Loader("demo/result/sample/logs", n_runs=1, single_service="client")
        >>> df_events = loader.execute()
        >>> normal = loader.df_seq.filter("normal")["seq_id"]
        >>> vec = Vectorizer(items="messages", weighting="log1p").fit(loader.items, normal)
        >>> encoded = vec.transform(loader.items, loader.df_seq["seq_id"])
        >>> encoded.X.shape == (loader.df_seq.height, len(vec.feature_names_))
        True
        >>> vec.feature_names_[-1]
        '<unseen>'
    """

    __module__ = "lo2core"

    @checked_arguments
    def __init__(
        self,
        items: str = "messages",
        weighting: str = "counts",
        masker: Masker | None = None,
        item_column: str | None = None,
        numeric_columns: Sequence[str] = (),
        unseen_columns: int = 1,
    ) -> None:
        self.items = items
        self.unseen_columns = unseen_columns
        self.weighting = weighting
        self.masker = masker or Masker()
        self.item_column = item_column
        self.numeric_columns = tuple(numeric_columns)
        self.templates_: Templates | None = None

    def __getstate__(self) -> dict[str, Any]:
        """The state to pickle: the vocabulary as an array of ids, since polars may change how it pickles frames."""
        state = vars(self).copy()
        if "vocabulary_" in state:
            state["vocabulary_"] = self.vocabulary_["feature"].to_numpy()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update({"templates_": None, **state})
        vars(self).pop("drain_", None)  # of an earlier version, which used Drain
        if "vocabulary_" in state:
            ids = pl.DataFrame({"feature": np.asarray(state["vocabulary_"], dtype=np.uint64)})
            self.vocabulary_ = ids.with_row_index("column")

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(self.items.split("+"))

    @understood("The vectorizer cannot read this")
    def fit(self, items: MessageCounts, seq_ids: pl.Series) -> Vectorizer:
        """Learn the vocabulary (and templates) of the sequences `seq_ids`; other rows of `items` are ignored."""
        self._check()
        counts = items.counts.filter(pl.col("seq_id").is_in(seq_ids.implode()))
        used = items.messages.join(counts, on="message_id", how="semi")
        self._learn_templates(used)
        features = self.expand(used)
        long = counts.join(features, on="message_id").select("seq_id", "feature", "name")
        return self._learn(long, len(seq_ids))

    @understood("The vectorizer cannot read this")
    def transform(self, items: MessageCounts, seq_ids: pl.Series) -> Encoded:
        """The matrix of the given sequences, one row each, in their order."""
        rows = pl.DataFrame({"seq_id": seq_ids, "row": range(len(seq_ids))}, schema_overrides={"row": pl.UInt32})
        long = (
            items.counts.join(rows, on="seq_id")
            .join(self.expand(items.messages), on="message_id")
            .group_by("row", "feature")
            .agg(n=(pl.col("n") * pl.col("per")).sum())
        )
        return self._encode(long, len(seq_ids))

    def transform_messages(self, messages: pl.DataFrame) -> Encoded:
        """The matrix of single events, one row for each of the given messages."""
        rows = messages.select("message_id").with_row_index("row")
        long = self.expand(messages).join(rows, on="message_id").select("row", "feature", n="per")
        return self._encode(long, messages.height)

    def expand(self, messages: pl.DataFrame, kind: str | None = None) -> pl.DataFrame:
        """The items of each message: message_id, feature (id), name, per (how often); of one kind, if given.

        If there are several kinds, equal texts of different kinds get different ids.
        """
        if kind is None:
            return pl.concat([self.expand(messages, one) for one in self.kinds])
        carried = _EXPAND[kind](self, messages)
        if len(self.kinds) == 1 or kind in _OWN_IDS:
            return carried
        return carried.with_columns(pl.col("feature") ^ pl.lit(content_hash(kind), dtype=pl.UInt64))

    @understood("The vectorizer cannot read this")
    def fit_frame(self, frame: pl.DataFrame) -> Vectorizer:
        """Learn the vocabulary from the item column of a frame whose rows are events or bags of items."""
        if self.item_column is None:
            raise InputError("A vectorizer without an item column cannot read a frame; give item_list_col.")
        frame = self._checked(frame)
        self.items = _FRAME_KINDS.get(self.item_column, "messages")
        if self.items == "templates" and (texts := self._texts(frame)) is not None:
            distinct = pl.DataFrame({"kind": "message", "text": texts.drop_nulls().unique()})
            self._learn_templates(distinct)
        return self._learn(self._frame_items(frame), frame.height)

    @understood("The vectorizer cannot read this")
    def transform_frame(self, frame: pl.DataFrame) -> Encoded:
        """The matrix of the rows of a frame: items, numeric columns, and finally the counts of unseen items."""
        frame = self._checked(frame)
        long = self._frame_items(frame).group_by("row", "feature").agg(n=pl.len().cast(pl.Int64))
        encoded = self._encode(long, frame.height)
        if not self.numeric_columns:
            return encoded
        numbers = frame.select(pl.col(self.numeric_columns).cast(pl.Float64).fill_null(0)).to_numpy()
        n_items = self.vocabulary_.height
        parts = [encoded.X[:, :n_items], sparse.csr_matrix(numbers), encoded.X[:, n_items:]]
        X = sparse.hstack(parts, format="csr")
        return Encoded(X, encoded.unseen)

    def _check(self) -> None:
        check_items(self.items)
        if self.weighting not in WEIGHTINGS:
            raise InputError(f"Unknown weighting {self.weighting!r}. {choices(self.weighting, WEIGHTINGS)}")

    def _checked(self, frame: pl.DataFrame) -> pl.DataFrame:
        frame = as_frame(frame, "frame")
        wanted = [str(self.item_column), *self.numeric_columns]
        if missing := [name for name in wanted if name not in frame.columns]:
            raise InputError(
                f"The vectorizer needs the columns {', '.join(wanted)}; missing are {', '.join(missing)}, found are "
                f"{', '.join(frame.columns)}. Run the enhancers, or train again with these columns."
            )
        check_types(frame, str(self.item_column), self.numeric_columns)
        return frame

    def _learn_templates(self, messages: pl.DataFrame) -> None:
        if "templates" in self.kinds:
            texts = messages.filter(pl.col("kind") == "message")["text"].unique().sort()
            self.templates_ = Templates().fit(texts)

    def _learn(self, long: pl.DataFrame, n_rows: int) -> Vectorizer:
        column = long.columns[0]
        vocabulary = (
            long.group_by("feature")
            .agg(pl.col("name").first(), rows=pl.col(column).n_unique())
            .sort("feature")
            .with_row_index("column")
        )
        if not vocabulary.height:
            raise InputError(f"Nothing to learn from: the {n_rows} training rows contain no {self.items}.")
        self.vocabulary_ = vocabulary.select("column", "feature")
        self.feature_names_ = [*vocabulary["name"], *self.numeric_columns, *[UNSEEN] * self.unseen_columns]
        rows = np.append(vocabulary["rows"].to_numpy(), np.zeros(self.unseen_columns))
        self.idf_ = np.log((1 + n_rows) / (1 + rows)) + 1
        return self

    def columns_of(self, features: pl.Series) -> pl.Series:
        """The matrix column of each item, known or unseen. Only valid without numeric columns."""
        n_items = self.vocabulary_.height
        columns = features.to_frame("feature").join(self.vocabulary_, on="feature", how="left", maintain_order="left")
        hashed = n_items + pl.col("feature") % self.unseen_columns
        return columns.select(pl.coalesce(pl.col("column").cast(pl.Int64), hashed.cast(pl.Int64))).to_series()

    def _encode(self, long: pl.DataFrame, n_rows: int) -> Encoded:
        """Sum the counts of items with the same column, then apply the weighting."""
        cells = (
            long.with_columns(column=self.columns_of(long["feature"]))
            .group_by("row", "column")
            .agg(pl.col("n").sum().cast(pl.Float64))
            .sort("row", "column")
        )
        shape = (n_rows, self.vocabulary_.height + self.unseen_columns)
        X = sparse.csr_matrix((cells["n"], (cells["row"], cells["column"])), shape=shape, dtype=np.float64)
        unseen = long.join(self.vocabulary_, on="feature", how="anti", maintain_order="left")
        return Encoded(self._weighted(X), unseen.select("row", "feature", "n"))

    def _weighted(self, X: sparse.csr_matrix) -> sparse.csr_matrix:
        if self.weighting == "log1p":
            return X.log1p()
        if self.weighting == "binary":
            return X.sign()
        if self.weighting == "tf-idf":
            return sparse.csr_matrix(X.multiply(self.idf_))
        return X

    def _frame_items(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Items of a frame in long form: row, feature, name."""
        column = self._derived_ids(frame) if self.items == "templates" else frame[str(self.item_column)]
        long = pl.DataFrame({"row": pl.int_range(frame.height, dtype=pl.UInt32, eager=True), "item": column})
        if isinstance(column.dtype, pl.List):
            long = long.explode("item")
        long = long.drop_nulls("item").with_columns((cs.categorical() | cs.enum()).cast(pl.String))
        if long["item"].dtype == pl.String:
            return long.with_columns(feature=message_ids(long["item"]), name="item").drop("item")
        name = pl.col("item").cast(pl.String)
        if self.templates_:
            texts = pl.Series([*self.templates_.texts, UNSEEN])
            name = pl.col("item").replace_strict(message_ids(texts), texts, default=name)
        return long.select("row", feature=pl.col("item").cast(pl.UInt64), name=name)

    def _derived_ids(self, frame: pl.DataFrame) -> pl.Series:
        """Ids of the templates of the rows, by this vectorizer; the id column if the frame contains no text."""
        texts = self._texts(frame)
        if texts is not None and self.templates_:
            distinct = texts.drop_nulls().unique()
            ids = self.template_ids(distinct)
            return texts.replace_strict(distinct, ids, default=None, return_dtype=pl.UInt64)
        ids = frame[str(self.item_column)]
        n_known = (
            int(ids.is_in(self.vocabulary_["feature"].implode()).sum()) if hasattr(self, "vocabulary_") else len(ids)
        )
        if 2 * n_known < len(ids):
            warnings.warn(
                "Under half of the template ids are known to this vectorizer: they were made of other templates. Keep "
                "e_message_normalized in the frame, so that the ids can be derived again.",
                stacklevel=4,
            )
        return ids

    def _texts(self, frame: pl.DataFrame) -> pl.Series | None:
        if "e_message_normalized" in frame.columns:
            return frame["e_message_normalized"]
        if "m_message" in frame.columns:
            return self.masker.mask(event_lines(frame))
        return None

    def template_ids(self, texts: pl.Series) -> pl.Series:
        """Ids of the templates that the texts match; the id of `UNSEEN` for texts that match none."""
        return message_ids(pl.Series(self._learned().texts_of(texts, UNSEEN), dtype=pl.String))

    def template_items(self, texts: pl.Series) -> pl.Series:
        """The templates of the texts with their status and error codes, as items; `UNSEEN` for those without one."""
        return pl.Series(self._learned().items_of(texts, UNSEEN), dtype=pl.String)

    def _learned(self) -> Templates:
        if self.templates_ is None:
            raise InputError(f"A vectorizer of {self.items} has learned no templates.")
        return self.templates_


def _messages(vec: Vectorizer, messages: pl.DataFrame) -> pl.DataFrame:
    kept = messages.filter(pl.col("kind") != "request")
    return kept.select("message_id", feature="message_id", name="text", per=pl.lit(1, dtype=pl.Int64))


def _requests(vec: Vectorizer, messages: pl.DataFrame) -> pl.DataFrame:
    kept = messages.filter(pl.col("kind") == "request")
    return kept.select("message_id", feature="message_id", name="text", per=pl.lit(1, dtype=pl.Int64))


def _templates(vec: Vectorizer, messages: pl.DataFrame) -> pl.DataFrame:
    kept = messages.filter(pl.col("kind") == "message")
    names = vec.template_items(kept["text"])
    return kept.select("message_id", feature=message_ids(names), name=names, per=pl.lit(1, dtype=pl.Int64))


def _bag(split: pl.Expr, messages: pl.DataFrame) -> pl.DataFrame:
    bags = messages.filter(pl.col("kind") == "message").select("message_id", name=split).explode("name").drop_nulls()
    counted = bags.group_by("message_id", "name").agg(per=pl.len().cast(pl.Int64))
    return counted.select("message_id", feature=message_ids(counted["name"]), name="name", per="per")


_EXPAND: dict[str, Callable[[Vectorizer, pl.DataFrame], pl.DataFrame]] = {
    "messages": _messages,
    "templates": _templates,
    "requests": _requests,
    "words": lambda vec, messages: _bag(words(pl.col("text")), messages),
    "trigrams": lambda vec, messages: _bag(trigrams(pl.col("text")), messages),
}


def raw_counts(vec: Vectorizer, X: sparse.csr_matrix) -> sparse.csr_matrix:
    """The item counts of a weighted matrix (1 for "contained" if it was binary), without numeric columns."""
    without_numbers = [*range(vec.vocabulary_.height), *range(X.shape[1] - vec.unseen_columns, X.shape[1])]
    X = sparse.csr_matrix(X[:, without_numbers])
    if vec.weighting == "log1p":
        return X.expm1()
    if vec.weighting == "tf-idf":
        return sparse.csr_matrix(X.multiply(1 / vec.idf_))
    return X
