"""What is loaded in a workspace: its items, the masks they were made with, and both as others need them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from lo2core.base.errors import ArtefactError, InputError, reason
from lo2core.base.schemas import Counts, Events, Messages, Sequences
from lo2core.detect.logs import Logs
from lo2core.detect.vectorizer import Vectorizer
from lo2core.load import windows
from lo2core.messages.counts import MessageCounts, fingerprint, remask
from lo2core.messages.masks import Masker, user_rule
from lo2core.store.workspace import Workspace


def masker_of(workspace: Workspace) -> Masker:
    """The masks that the workspace was loaded with.

    Where nothing is loaded yet, a new sample takes those of its workspace, and anything else the default ones.
    """
    saved = workspace.metadata(Messages).get("masks")
    if saved:
        try:
            return Masker.from_json(saved)
        except (ValueError, TypeError, InputError) as error:
            raise ArtefactError(
                f"{workspace.path(Messages)} does not record valid masks ({reason(error)}): load the logs again."
            ) from error
    owner = workspace.owner
    return masker_of(owner) if owner else Masker()


def extended_masker(workspace: Workspace, rules: Iterable[Sequence[str]]) -> Masker:
    """The workspace's masks with further rules (name, pattern, replacement) behind them; those it has stay as they are.

    Raises InputError for a rule that cannot work or has the name of another one.
    """
    there = masker_of(workspace).rules
    added = [user_rule(*rule) for rule in rules]
    return Masker((*there, *(rule for rule in added if rule not in there)))


def read_items(workspace: Workspace) -> MessageCounts:
    """Messages and counts of a workspace."""
    return MessageCounts(workspace.read(Messages), workspace.read(Counts))


def training_data(workspace: Workspace) -> tuple[MessageCounts, pl.DataFrame, str]:
    """Items and sequences to train on, and a sentence where they are not simply those of the workspace."""
    items, sequences = read_items(workspace), workspace.read(Sequences)
    if not workspace.has(Events):
        return items, sequences, ""
    return windows.cut_single_normal(items, sequences, workspace.scan(Events), masker_of(workspace))


def items_for(workspace: Workspace, vec: Vectorizer) -> MessageCounts:
    """The workspace's items under the masks of the vectorizer; raises as `masked_for`."""
    return masked_for(workspace, vec, read_items(workspace))[0]


def logs_for(workspace: Workspace, vec: Vectorizer) -> Logs:
    """The workspace's logs under the masks of the vectorizer; raises as `masked_for`."""
    items, events = masked_for(workspace, vec, read_items(workspace))
    return Logs(items, workspace.read(Sequences), events)


def masked_for(
    workspace: Workspace, vec: Vectorizer, items: MessageCounts
) -> tuple[MessageCounts, pl.LazyFrame | None]:
    """Items of a workspace, and its events where they were saved, under the masks of the vectorizer.

    Raises ArtefactError where the logs were masked by rules that the bundle does not know, so that ids cannot match.
    """
    mine, its = masker_of(workspace), vec.masker
    events = workspace.scan(Events) if workspace.has(Events) else None
    if mine.fingerprint == its.fingerprint:
        return items, events
    if its.rules[: len(mine.rules)] != mine.rules:
        raise ArtefactError(
            f"{workspace.root} was masked by other rules than the bundle was trained with. Load these logs anew with "
            "--replace --default-masks, or train a bundle on them."
        )
    masked, mapping = remask(items, its.beyond(mine))
    return masked, None if events is None else _renamed(events, mapping)


def _renamed(events: pl.LazyFrame, mapping: pl.DataFrame) -> pl.LazyFrame:
    """The events with new ids of their messages; what is not in the mapping has its new id already."""
    joined = events.join(mapping.lazy(), on="message_id", how="left", maintain_order="left")
    return joined.with_columns(message_id=pl.coalesce("new_id", "message_id")).drop("new_id")


def mask_anew(workspace: Workspace, masker: Masker) -> None:
    """Mask the loaded messages by rules that extend their own; the ids in events and counts follow.

    The messages come last: they tell by which rules all is masked. After a break before that, ids that are new already
    stay as they are. Raises InputError for rules that do not extend those of the workspace.
    """
    items, mapping = remask(read_items(workspace), masker.beyond(masker_of(workspace)))
    facts = {"masks": masker.to_json(), "data_fingerprint": fingerprint(items.counts)}
    provenance = workspace.metadata(Messages) | facts
    workspace.sink(Events, _renamed(workspace.scan(Events), mapping), provenance=provenance, replace=True)
    workspace.write(Counts, items.counts, provenance=provenance, replace=True)
    workspace.write(Messages, items.messages, provenance=provenance, replace=True)
