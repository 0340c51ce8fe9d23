"""Torture the product for minutes and print the figures: `make torture`, or a part of it:

PYTHONPATH=tests .venv/bin/python -m torture.run kills disk --seed 8
"""

from __future__ import annotations

import argparse
import sys
import time
from importlib import import_module

from torture.figures import Figures

AMOUNTS = {"kills": 200, "disk": 1_500, "stops": 50, "inputs": 10_000, "browsers": 600, "cluster": 10}
"""Each kind is a module with a function `torture(amount, seed)`: of kills, cases, stops, inputs, seconds, loads."""
OF_OPERATIONS = ("kills", "disk")
"""Kinds with an argument `every`: disturb every operation on files, not one of each kind."""


def main() -> int:
    """Run the chosen kinds; 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="torture.run", description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(AMOUNTS)}; default: all")
    parser.add_argument("--amount", type=int, help="how much of each kind; default: as in docs/reliability.md")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--all", action="store_true", help="kills and full disks at every operation: takes hours")
    chosen = parser.parse_args()
    if unknown := set(chosen.kinds) - set(AMOUNTS):
        parser.error(f"unknown kinds: {', '.join(sorted(unknown))}")
    failed = 0
    for kind in chosen.kinds or AMOUNTS:
        began = time.monotonic()
        every = {"every": chosen.all} if kind in OF_OPERATIONS else {}
        torture = import_module(f"torture.{kind}").torture
        figures: Figures = torture(chosen.amount or AMOUNTS[kind], chosen.seed, **every)
        _print(kind, figures, time.monotonic() - began)
        failed += len(figures.failures)
    print(f"\n{failed} failures")
    return 1 if failed else 0


def _print(kind: str, figures: Figures, seconds: float) -> None:
    """The figures as rows of a Markdown table, and the failures below them."""
    print(f"\n| {kind} | {seconds:,.0f} s |\n| --- | --- |")
    for what, amount in (figures.counts | {"failures": len(figures.failures)}).items():
        print(f"| {what} | {amount:,} |" if isinstance(amount, int) else f"| {what} | {amount} |")
    for failure in figures.failures:
        print(f"\nFAILED: {failure}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
