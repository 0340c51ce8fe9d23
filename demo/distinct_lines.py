"""How much memory and time a load takes if no two lines of the logs have the same message.

    python demo/distinct_lines.py [--lines 5000000] [--files 200]

The lines are generated: numbers, and names of random syllables, in one sentence. Each file is a test case. The load
runs in a process of its own, whose peak memory is measured.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
_SYLLABLES = [consonant + vowel for consonant in "bcdfghjklmnprstvz" for vowel in "aeiou"]


def write_logs(root: Path, lines: int, files: int) -> int:
    """Write the logs and return their bytes."""
    rng, size = random.Random(7), 0
    for file in range(files):
        folder = root / f"light-oauth2-data-{1_719_592_800 + 1_000 * (file // 20)}" / f"correct_{file % 20}"
        folder.mkdir(parents=True)
        numbers = range(lines * file // files, lines * (file + 1) // files)
        path = folder / "light-oauth2-oauth2-client-1.log"
        with path.open("w") as log:  # line by line: what this process uses would count as the child's
            log.writelines(_line(number, number - numbers.start, rng) for number in numbers)
        size += path.stat().st_size
    return size


def _line(number: int, at: int, rng: random.Random) -> str:
    clock = f"{10 + at // 72_000 % 10:02}:{at // 1_200 % 60:02}:{at // 20 % 60:02}.{at % 20 * 50:03}"
    customer, shop = ("".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4))) for _ in range(2))
    text = f"Order {number} of customer {customer} paid {number % 977}.{number % 100:02} EUR in shop {shop}"
    header = f"[XNIO-1 task-{at % 8}]  zbTpF7BRfiPFn9pzE5R8A{at % 10} INFO  c.n.o.shop.OrderHandler handle"
    return f"{clock} {header} - {text}\n"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--lines", type=int, default=5_000_000)
    arguments.add_argument("--files", type=int, default=200)
    args = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        size = write_logs(Path(folder) / "logs", args.lines, args.files)
        command = [sys.executable, "-m", "lo2core", "load", "--root", f"{folder}/logs", "--output-dir", f"{folder}/out"]
        began = time.perf_counter()
        subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    print(
        f"{args.lines:,} distinct lines in {args.files} files, {size / 1e6:,.0f} MB: {peak:,.0f} MB, {seconds:,.0f} s"
    )


if __name__ == "__main__":
    main()
