"""Grouping accuracy of templates on LogHub's samples: lo2core next to drain3, with the same settings for all systems.

    python demo/templates.py [--logs ../shared/data/loghub-2k.tar.xz]

GA is the share of lines whose group contains exactly the lines of one true template; FGA is the F1 of these groups
(Jiang et al., "A Large-scale Evaluation for Log Parsing Techniques: How Far are We?", ISSTA 2024). All lines are used,
in their order. The archive contains `<system>/<system>_2k.log_structured.csv` of LogHub (Zhu et al., ISSRE 2023).
"""

from __future__ import annotations

import argparse
import sys
import tarfile
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lo2core.enhance.enrich import templates_of
from lo2core.messages.masks import Masker


def samples(archive: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """Name, contents of the lines and true templates of each system."""
    with tarfile.open(archive) as tar:
        for member in sorted(tar.getmembers(), key=lambda member: member.name):
            if member.name.endswith("_structured.csv") and (file := tar.extractfile(member)):
                lines = pl.read_csv(file.read(), infer_schema=False)
                yield Path(member.name).name.partition("_")[0], lines["Content"].to_list(), lines["EventId"].to_list()


def ours(lines: list[str]) -> list[str]:
    """The template of each line, with the default masks and templates."""
    masked = Masker().mask(pl.Series(lines))
    known = templates_of(masked)
    return masked.replace_strict(known["e_message_normalized"], known["e_template"]).to_list()


def drain3(lines: list[str]) -> list[int]:
    """The cluster of each line in drain3 with its default settings."""
    from drain3.drain import Drain

    clusters = Drain()
    found = [clusters.add_log_message(line)[0] for line in lines]
    return [cluster.cluster_id for cluster in found]


def accuracy(found: Sequence[Hashable], truth: Sequence[Hashable]) -> tuple[float, float]:
    """GA and FGA."""
    groups, true_groups = _groups(found), _groups(truth)
    right = groups & true_groups
    return sum(map(len, right)) / len(truth), 2 * len(right) / (len(groups) + len(true_groups))


def _groups(labels: Sequence[Hashable]) -> set[frozenset[int]]:
    lines: dict[Hashable, list[int]] = defaultdict(list)
    for number, label in enumerate(labels):
        lines[label].append(number)
    return {frozenset(group) for group in lines.values()}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(__file__).resolve().parents[2] / "shared/data/loghub-2k.tar.xz"
    arguments.add_argument("--logs", type=Path, default=default, help="the archive")
    ways: dict[str, Callable[[list[str]], Sequence[Hashable]]] = {"lo2core": ours}
    if find_spec("drain3"):
        ways["drain3"] = drain3
    else:
        print("drain3 is not installed (pip install drain3): its columns are left out.", file=sys.stderr)
    rows = []
    for system, lines, truth in samples(arguments.parse_args().logs):
        found = {name: accuracy(way(lines), truth) for name, way in ways.items()}
        sizes = (len(lines), Masker().mask(pl.Series(lines)).n_unique(), len(set(truth)))
        rows.append((system, sizes, [value for pair in found.values() for value in pair]))
    heads = [f"{measure}, {name}" for name in ways for measure in ("GA", "FGA")]
    print("| " + " | ".join(["system", "lines", "messages", "true templates", *heads]) + " |")
    print("|" + " --- |" * (4 + len(heads)))
    for system, sizes, values in rows:
        print("| " + " | ".join([system, *(f"{n:,}" for n in sizes), *(f"{value:.3f}" for value in values)]) + " |")
    means = [sum(column) / len(rows) for column in zip(*(values for *_, values in rows), strict=True)]
    print("| " + " | ".join(["**mean**", "", "", "", *(f"**{value:.3f}**" for value in means)]) + " |")


if __name__ == "__main__":
    main()
