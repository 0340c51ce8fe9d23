"""The loader under the name that the persistence note gives it; tables are written with --save-parquet."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lo2core.cli.commands import main

if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--save-parquet"]
    preview = [] if "--save-parquet" in sys.argv else ["--dry-run"]
    sys.exit(main(["load", *arguments, *preview]))
