"""Whether explanations name the fault: leave a run out, train on the others, read the first three lines of each fault.

Own words of a fault are its error codes (in none of the normals) and messages that no other test case holds. Names of
test cases and codes are used here, to judge; the core knows none of them.

    python demo/explain_faults.py --output-dir demo/result/lo2          a workspace with several loaded runs
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from lo2core.base.config import DEFAULT_WORKSPACE
from lo2core.base.schemas import Events, Sequences
from lo2core.detect.incidents import by_incident
from lo2core.detect.instances import CountSource
from lo2core.detect.predict import predict
from lo2core.detect.recipe import Recipe
from lo2core.detect.train import train
from lo2core.explain import items, lines
from lo2core.explain.evidence import Evidence, Logs
from lo2core.messages.hashing import message_ids
from lo2core.pipeline.inputs import read_items
from lo2core.store.workspace import Workspace

SILENT = {
    "code_challenge_too_short_pkce_400",
    "register_client_404_no_user",
    "register_service_404_no_user",
    "update_client_404_clientId",
    "code_verifier_missing_pkce_400",
}
"""Faults that leave nothing of their own in the logs; reported apart."""
CODE = r"ERR\d{5}"
LINES = 3


def own_words(logs: Logs) -> tuple[dict[str, set[int]], dict[str, set[str]]]:
    """For each faulty test case the ids of the messages that it alone holds, and its codes that no normal holds."""
    texts = logs.items.messages.filter(pl.col("kind") != "request").select("message_id", "text")
    held = logs.items.counts.join(texts, on="message_id").join(
        logs.sequences.select("seq_id", "test_case", "normal"), on="seq_id"
    )
    holders = held.group_by("message_id").agg(pl.col("test_case").unique())
    alone = holders.filter(pl.col("test_case").list.len() == 1).with_columns(pl.col("test_case").list.first())
    codes = held.with_columns(code=pl.col("text").str.extract_all(CODE)).explode("code").drop_nulls("code")
    new = codes.join(codes.filter("normal"), on="code", how="anti")
    messages = {case: set(ids) for case, ids in alone.group_by("test_case").agg("message_id").iter_rows()}
    return messages, {case: set(found) for case, found in new.group_by("test_case").agg("code").iter_rows()}


def first_lines(evidence: Evidence, seq_id: str) -> list[str]:
    """The first three lines that explain a sequence, best first."""
    shown = lines.lines(evidence, seq_id, items.items(evidence, seq_id))
    return shown.filter(pl.col("place") <= LINES).sort("place")["text"].to_list()


def judge(logs: Logs) -> pl.DataFrame:
    """One row a fault and run: test_case, run, service (the worst), z, named, first (the first line shown)."""
    messages, codes = own_words(logs)
    rows = []
    for run in logs.sequences["run"].unique().sort():
        train_on, left_out = (logs.sequences.filter(same) for same in (pl.col("run") != run, pl.col("run") == run))
        model, vec = train(CountSource(logs.items, train_on), Recipe())
        evidence = Evidence(
            model, vec, Logs(logs.items, left_out, logs.events), Logs(logs.items, train_on, logs.events)
        )
        worst = by_incident(predict(model, vec, logs.items, left_out)).filter(~pl.col("normal"))
        for fault in worst.iter_rows(named=True):
            case, shown = fault["test_case"], first_lines(evidence, fault["seq_id"])
            ids = message_ids(vec.masker.mask(pl.Series(shown, dtype=pl.String)))
            named = bool(messages.get(case, set()) & set(ids)) or any(
                code in line for line in shown for code in codes.get(case, ())
            )
            rows.append((case, run, fault["service"], fault["z_score"], named, shown[0] if shown else ""))
    return pl.DataFrame(rows, schema=("test_case", "run", "service", "z", "named", "first"), orient="row")


def table(judged: pl.DataFrame) -> str:
    """The result as Markdown: a row a fault, and sums; silent faults below."""
    runs = judged["run"].unique().sort().to_list()
    told = judged.filter(~pl.col("test_case").is_in(SILENT))
    sums = ", ".join(f"{told.filter(pl.col('run') == run)['named'].sum()}" for run in runs)
    faults = told["test_case"].n_unique()
    out = [f"Faults named in the first {LINES} lines, of {faults}, run by run: {sums}.", ""]
    out += [
        "| test case | worst service | smallest z | named in runs | first line |",
        "| --- | --- | --- | --- | --- |",
    ]
    rows = judged.sort(pl.col("test_case").is_in(SILENT), "test_case", "run").group_by("test_case", maintain_order=True)
    for (case,), part in rows:
        services = ", ".join(part["service"].unique().sort())
        mark = " (silent)" if case in SILENT else ""
        line = part["first"][0].strip().replace("|", "\\|").replace("`", "'")[:110]
        out.append(
            f"| {case}{mark} | {services} | {part['z'].min():.1f} | {part['named'].sum()} of {part.height} | `{line}` |"
        )
    return "\n".join(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output-dir", type=Path, default=Path(DEFAULT_WORKSPACE), metavar="WORKSPACE")
    workspace = Workspace(parser.parse_args().output_dir)
    logs = Logs(read_items(workspace), workspace.read(Sequences), workspace.scan(Events))
    print(table(judge(logs)))


if __name__ == "__main__":
    main()
