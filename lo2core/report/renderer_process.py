"""The program that `renderer` starts: reads Vega-Lite specifications, one per line, and answers each with its SVG.

It imports nothing of lo2core, so that it starts fast and from any folder. Its argument is the limit for one chart in
seconds.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys


def main(limit: float) -> None:
    # Without a handler, the signal ends the process even while compiled code hangs and nobody else is left to end it.
    signal.setitimer(signal.ITIMER_REAL, limit)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import vl_convert

    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # whatever else is printed is no answer
        for line in sys.stdin.buffer:
            signal.setitimer(signal.ITIMER_REAL, limit)
            try:
                answer = {"svg": vl_convert.vegalite_to_svg(json.loads(line))}
            except ValueError as error:
                answer = {"error": " ".join(str(error).splitlines()[:2])}
            print(json.dumps(answer), file=answers, flush=True)
            signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main(float(sys.argv[1]))
