"""Log text for tests: lines in LO2's form, and folders of them."""

from __future__ import annotations

from pathlib import Path

CID = "z-bTpF7BRfiPFn9pzE5R8A"
"""A correlation id as in the real logs."""


def line(text: str = "started", time: str = "16:40:52.234", level: str = "DEBUG", cid: str = CID) -> str:
    return f"{time} [XNIO-1 task-1]  {cid} {level:<5} c.n.handler.Chain handle - {text}\n"


def write_log(folder: Path, content: str | bytes = "", service: str = "client", name: str | None = None) -> Path:
    """A service's log in a test case folder, named as in the full set."""
    path = folder / (name or f"light-oauth2-oauth2-{service}-1.log")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def write_runs(root: Path, runs: int = 2, normals: int = 2) -> Path:
    """A few runs with normal test cases and one fault, which `client` logs; small and deterministic."""
    for run in range(runs):
        cases = ["correct", *(f"correct_{n}" for n in range(1, normals)), "get_client_404_no_client"]
        for number, case in enumerate(cases):
            for service in ("client", "token"):
                beats = [
                    line(f"beat {beat % 3} of size {run + beat}", f"10:{number:02}:{beat:02}.{run:03}")
                    for beat in range(12 + run + number % 2)
                ]
                if service == "client" and "404" in case:
                    beats.insert(
                        5, line("CLIENT_NOT_FOUND", f"10:{number:02}:04.500", "ERROR") + "\tat a.b.C(C.java:7)\n"
                    )
                write_log(root / f"light-oauth2-data-{1719592986 + 1000 * run}" / case, "".join(beats), service)
    return root
