"""The loaded logs of a workspace: counts, masks, and both as a vectorizer needs them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from lo2core.base.errors import ArtefactError, InputError, reason
from lo2core.base.schemas import Counts, Events, Ledger, Messages, Sequences
from lo2core.detect.logs import Logs, Reading
from lo2core.load import windows
from lo2core.load.ledger import of_logs
from lo2core.load.verdict import IN_PART, NOT_READ, verdicts
from lo2core.messages.counts import MessageCounts, fingerprint, remask
from lo2core.messages.masks import Masker, user_rule
from lo2core.store.changes import Change
from lo2core.store.workspace import Workspace

if TYPE_CHECKING:
    from lo2core.detect.vectorizer import Vectorizer


def masker_of(workspace: Workspace) -> Masker:
    """The masks that the workspace was loaded with.

    Before a load, a sample has the masks of its workspace, and a workspace the default ones.
    """
    artefact = workspace.artefact(Messages)
    if artefact.doubt:
        raise ArtefactError(
            f"{artefact.path} does not record its masks, since its footer is damaged ({artefact.doubt}): load the "
            "logs again."
        )
    if saved := artefact.metadata.get("masks"):
        try:
            return Masker.from_json(saved)
        except (ValueError, TypeError, KeyError, InputError) as error:
            raise ArtefactError(
                f"{workspace.path(Messages)} does not record valid masks ({reason(error)}): load the logs again with "
                "--replace --default-masks, then add corrected masks."
            ) from error
    owner = workspace.owner
    return masker_of(owner) if owner else Masker()


def extended_masker(workspace: Workspace, rules: Iterable[Sequence[str]]) -> Masker:
    """The workspace's masks, followed by further rules (name, pattern, replacement); its own rules do not change.

    Raises InputError for an invalid rule or a name that is already used.
    """
    there = masker_of(workspace)
    added = [user_rule(*rule) for rule in rules]
    return Masker((*there.rules, *(rule for rule in added if rule not in there.rules)), there.templates)


def read_items(workspace: Workspace) -> MessageCounts:
    """Messages and counts of a workspace."""
    return MessageCounts(workspace.read(Messages), workspace.read(Counts))


def training_data(workspace: Workspace) -> tuple[MessageCounts, pl.DataFrame, str]:
    """Counts and sequences to train on, and a sentence if they differ from those of the workspace."""
    items, sequences = read_items(workspace), workspace.read(Sequences)
    sequences = sequences.filter(~pl.col("seq_id").is_in(unread_in(workspace, sequences).implode()))
    if not workspace.has(Events):
        return items, sequences, ""
    return windows.cut_single_normal(items, sequences, workspace.scan(Events), masker_of(workspace))


def items_for(workspace: Workspace, vec: Vectorizer) -> MessageCounts:
    """The workspace's items under the masks of the vectorizer; raises as `masked_for`."""
    return masked_for(workspace, vec, read_items(workspace))[0]


def logs_for(workspace: Workspace, vec: Vectorizer) -> Logs:
    """The workspace's logs under the masks of the vectorizer; raises as `masked_for`."""
    items, events = masked_for(workspace, vec, read_items(workspace))
    sequences = workspace.read(Sequences)
    return Logs(items, sequences, events, unread_in(workspace, sequences), reading_of(workspace))


def unread_in(workspace: Workspace, sequences: pl.DataFrame) -> pl.Series:
    """The seq_ids of sequences (`schemas.Sequences`) whose logs have lines but no event, according to the ledger."""
    if not workspace.has(Ledger) or sequences["events"].min():
        return pl.Series("seq_id", [], dtype=pl.String)
    ledger = workspace.read(Ledger)
    unread = ledger.join(verdicts(ledger).filter(verdict=NOT_READ), on="source", how="semi")
    return sequences.filter(pl.col("events") == 0).join(unread, on=["run", "folder", "service"], how="semi")["seq_id"]


def reading_of(workspace: Workspace) -> Reading:
    """How the loaded logs were read, according to the ledger; empty without one."""
    if not workspace.has(Ledger):
        return Reading()
    ledger = workspace.read(Ledger)
    known = of_logs(ledger).filter(pl.col("events") > 0).drop_nulls(["service", "format"])
    formats = known.group_by("service").agg(pl.col("format").unique().sort()).sort("service")
    in_part = verdicts(ledger).filter(verdict=IN_PART).select("source", "service", "why")
    return Reading(dict(formats.iter_rows()), in_part)


def masked_for(
    workspace: Workspace, vec: Vectorizer, items: MessageCounts
) -> tuple[MessageCounts, pl.LazyFrame | None]:
    """Counts of a workspace, and its events if they were saved, under the masks of the vectorizer.

    Raises ArtefactError if the logs were masked by rules that the bundle does not have, so that ids cannot match.
    """
    mine, its = masker_of(workspace), vec.masker
    events = workspace.scan(Events) if workspace.has(Events) else None
    if mine.fingerprint == its.fingerprint:
        return items, events
    if mine.templates is not None or its.rules[: len(mine.rules)] != mine.rules:
        raise ArtefactError(
            f"{workspace.root} {_counted_otherwise(mine, its)}, so no score would mean anything. Load these logs again "
            "with `load --replace --like` and this model's file, which counts them as its training logs were, or train "
            "a model on them."
        )
    masked, mapping = remask(items, its.beyond(mine))
    return masked, None if events is None else _renamed(events, mapping)


def _counted_otherwise(mine: Masker, its: Masker) -> str:
    """How logs were counted otherwise than the training logs of a model, to complete a sentence."""
    if mine.templates is None:
        return "was masked by other rules than this model's training logs"
    others = "others" if its.templates else "none"
    return f"has so many distinct messages that it was counted by templates of its own, and this model has {others}"


def _renamed(events: pl.LazyFrame, mapping: pl.DataFrame) -> pl.LazyFrame:
    """The events with new message ids; ids that are not in the mapping are new already."""
    joined = events.join(mapping.lazy(), on="message_id", how="left", maintain_order="left")
    return joined.with_columns(message_id=pl.coalesce("new_id", "message_id")).drop("new_id")


def mask_anew(workspace: Workspace, masker: Masker, change: Change) -> tuple[pl.LazyFrame, MessageCounts]:
    """Mask the loaded messages again by rules that extend their own, as part of a change; returns new events and items.

    Ids in events and counts are updated. Sequences and ledger stay as they are, but are written again, so that all
    tables of the logs belong to the change. Raises InputError for rules that do not extend those of the workspace.
    """
    loaded = workspace.snapshot()
    items, mapping = remask(read_items(loaded), masker.beyond(masker_of(loaded)))
    events = _renamed(loaded.scan(Events), mapping)
    facts = {"masks": masker.to_json(), "data_fingerprint": fingerprint(items.counts)}
    made: dict[str, Any] = {"provenance": loaded.metadata(Messages) | facts, "replace": True, "change": change}
    workspace.sink(Events, events, **made)
    workspace.write(Counts, items.counts, **made)
    workspace.write(Messages, items.messages, **made)
    for schema in (Sequences, Ledger):
        if (before := loaded.metadata(schema)).get("generation"):
            workspace.write(schema, loaded.read(schema), provenance=before, replace=True, change=change)
    return events, items
