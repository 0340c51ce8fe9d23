"""Whether groups of flagged incidents are faults: leave a run out, train on the others, group what is flagged.

The groups of all left-out runs together are compared with the names of the test cases, beside grouping by service alone
and by top item alone. Then, run by run: people have named the causes in the other runs, as the test cases are named;
how often is the name that is offered for a group of the left-out run the right one?

    python demo/explain_groups.py --output-dir demo/result/lo2          a workspace with several loaded runs
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from sklearn.metrics import homogeneity_completeness_v_measure

from lo2core.base.config import DEFAULT_WORKSPACE
from lo2core.base.schemas import Sequences, Triage
from lo2core.detect.incidents import by_incident
from lo2core.detect.instances import CountSource
from lo2core.detect.predict import predict
from lo2core.detect.recipe import Recipe
from lo2core.detect.train import train
from lo2core.explain import triage
from lo2core.explain.groups import Grouping, grouped
from lo2core.explain.leading_items import leading_items
from lo2core.explain.top_items import top_items
from lo2core.messages.counts import MessageCounts
from lo2core.pipeline.inputs import read_items
from lo2core.store.workspace import Workspace

CODE = r"ERR\d{5}"


@dataclass(frozen=True)
class LeftOut:
    """A left-out run: its flagged incidents (with top_item), and their leading items."""

    flagged: pl.DataFrame
    leading: pl.DataFrame


def left_out(items: MessageCounts, sequences: pl.DataFrame, run: str) -> LeftOut:
    """The flagged incidents of one run, scored by a model of the others."""
    own, others = (sequences.filter(same) for same in (pl.col("run") == run, pl.col("run") != run))
    model, vec = train(CountSource(items, others), Recipe())
    flagged = by_incident(predict(model, vec, items, own)).filter("pred_ano")
    tops = top_items(model, vec, items, flagged.select("seq_id", "service"))
    leading = leading_items(model, vec, items, flagged.select("seq_id", "service"))
    return LeftOut(flagged.join(tops, on="seq_id", maintain_order="left"), leading)


def mixed_codes(found: Grouping, leading: pl.DataFrame) -> int:
    """How many groups have incidents with other error codes than each other."""
    texts = leading.filter(pl.col("kind") != "request").select("seq_id", code=pl.col("text").str.extract_all(CODE))
    codes = texts.explode("code").drop_nulls().group_by("seq_id").agg(pl.col("code").unique().sort().str.join(" "))
    by_group = found.incidents.join(codes, on="seq_id", how="left").group_by("group")
    return by_group.agg(pl.col("code").n_unique()).filter(pl.col("code") > 1).height


def agreement(flagged: pl.DataFrame, found: Grouping) -> str:
    """Each grouping beside the names of the test cases, as Markdown."""
    both = flagged.join(found.incidents.select("seq_id", "group"), on="seq_id")
    rows = {"service alone": "service", "top item alone": "top_item", "**groups by cause**": "group"}
    lines = ["| grouped by | groups | homogeneity | completeness | V-measure |", "| --- | --- | --- | --- | --- |"]
    for name, column in rows.items():
        labels = both[column].cast(pl.String).fill_null("").to_list()
        figures = homogeneity_completeness_v_measure(both["test_case"].to_list(), labels)
        lines.append(f"| {name} | {len(set(labels))} | {' | '.join(f'{figure:.3f}' for figure in figures)} |")
    return "\n".join(lines)


def named(found: Grouping) -> pl.DataFrame:
    """`schemas.Triage` after people have named the cause of each group, or of its incidents where it has several."""
    rows = [Triage.create_empty()]
    for group in found.groups.iter_rows(named=True):
        own = found.incidents.filter(group=group["group"])
        if own["test_case"].n_unique() == 1:
            rows.append(triage.of_group(group, triage.KNOWN, "ann", own["test_case"][0]))
        else:
            said = ((one, group, triage.KNOWN, "ann", one["test_case"]) for one in own.iter_rows(named=True))
            rows += [triage.of_incident(*one) for one in said]
    return pl.concat(rows)


def offers(groupings: dict[str, Grouping]) -> str:
    """How many incidents of each run get an offer, and how many of these are right, if the other runs are named."""
    sums = [0, 0, 0]
    for run, found in groupings.items():
        entries = pl.concat([named(other) for name, other in groupings.items() if name != run])
        judged = triage.judged_groups(entries, found.groups).with_columns(told=pl.coalesce("cause", "offer"))
        incidents = found.incidents.join(judged.select("group", "told"), on="group")
        told = incidents.drop_nulls("told")
        right = int((told["told"] == told["test_case"]).sum())
        sums = [a + b for a, b in zip(sums, (incidents.height, told.height, right), strict=True)]
    return f"Offers: {sums[1]} for {sums[0]} flagged incidents of left-out runs, {sums[2]} of them right."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output-dir", type=Path, default=Path(DEFAULT_WORKSPACE), metavar="WORKSPACE")
    workspace = Workspace(parser.parse_args().output_dir)
    items, sequences = read_items(workspace), workspace.read(Sequences)
    runs = {run: left_out(items, sequences, run) for run in sequences["run"].unique().sort()}
    times = sequences.select("seq_id", "start_time")
    flagged, leading = (pl.concat([getattr(one, name) for one in runs.values()]) for name in ("flagged", "leading"))
    found = grouped(flagged, leading, items.messages, times)
    cases, normals = flagged["test_case"].n_unique(), int(flagged["normal"].sum())
    print(f"{flagged.height} flagged incidents of {cases} test cases in {len(runs)} runs, {normals} of them normal.\n")
    print(agreement(flagged, found))
    print(f"\nGroups with several error codes: {mixed_codes(found, leading)}.")
    print(offers({run: grouped(one.flagged, one.leading, items.messages, times) for run, one in runs.items()}))


if __name__ == "__main__":
    main()
