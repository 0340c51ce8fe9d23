"""How long pages Compare and Explain take in a browser: until they are drawn, and until a click is answered.

    python demo/page_speed.py [--predictions 50000] [--root PATH] [--rounds 5]

This uses a real server and a real Chromium on this machine, and compares the pages with the smallest page that
Streamlit can draw. Times are measured inside the browser, from pressing the mouse (or the start of a navigation) to the
first frame that shows the result. It prints medians, and ratios to the smallest page, which are computed per round.
Each round has a new server without cached data, so tabs are opened for the first time. The first round is shown
separately, because the browser has not loaded the dashboard before.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

from compare_speed import save_made_up
from helpers.driver import CHROMIUM_ARGS, Server, installed_chromium
from playwright.sync_api import Locator, Page, sync_playwright

from lo2core.detect.recipe import Recipe
from lo2core.load.plan import LoadOptions
from lo2core.load.synthetic import write_sample
from lo2core.pipeline.run import run
from lo2core.store.workspace import Workspace

SMALLEST = """
import streamlit as st

@st.fragment
def tabs():
    names = ["Here", "There"]
    for tab, name in zip(st.tabs(names, on_change="rerun", key="tabs"), names):
        with tab:
            if tab.open:
                st.text(f"{name} it is")
                if name == "There":
                    table = st.dataframe({"n": [1, 2, 3]}, on_select="rerun", selection_mode="single-row")
                    st.text(f"Picked {table['selection']['rows']}")

tabs()
if "chart" in st.query_params:
    import altair as alt

    st.altair_chart(alt.Chart(alt.Data(values=[{"x": 1}])).mark_point().encode(x="x:Q"))
"""
CHART = "document.querySelector('[data-testid=stVegaLiteChart] svg.marks, [data-testid=stVegaLiteChart] canvas')"
INNER = "[role=tabpanel]"
FIRST_ROW = {"position": {"x": 16, "y": 50}}
READY = f"{CHART} && document.body.textContent.includes('Rank correlation')"
WATCH = """
window.answer = (began, wanted) => new Promise(done => {
    const look = () => wanted() ? done(performance.now() - began) : requestAnimationFrame(look)
    look()
})
"""
TABS = {
    "Flips": "Explain in B",
    "Biggest movers": "Explain in B",
    "Metrics": "McNemar",
    "Recall by fault": "Share of flagged incidents",
    "Shift": "Population stability",
    "Over time": "Select a point or a row",
    "Scores": "counted by cell",
}
"""Tabs, and a text on each of them."""


def shows(tab: str, text: str, within: str = "") -> str:
    """That this tab is open and shows a text; `within` selects what holds the row of tabs."""
    panel = f"[...document.querySelectorAll('{within} [role=tabpanel]')].find(panel => panel.offsetParent)"
    is_open = f"document.querySelector('{within} [role=tab][aria-selected=true]')?.textContent === {tab!r}"
    return f"{is_open} && ({panel})?.textContent.includes({text!r})"


def says(start: str) -> str:
    """That some text of the page begins so."""
    return (
        f"[...document.querySelectorAll('[data-testid=stText]')].some(text => text.textContent.startsWith({start!r}))"
    )


def loaded(page: Page, url: str, wanted: str) -> float:
    """Seconds from the start of a navigation until `wanted` (JavaScript) holds."""
    page.goto(url, wait_until="commit")
    return float(page.evaluate(f"answer(0, () => {wanted})")) / 1000


def answered(page: Page, target: Locator, wanted: str, **click: object) -> float:
    """Seconds from a press of the mouse on `target` until `wanted` holds; the page rests before it."""
    page.wait_for_timeout(1500)
    take = f"() => window.taken = answer(performance.now(), () => {wanted})"
    page.evaluate(f"addEventListener('pointerdown', {take}, {{once: true, capture: true}})")
    target.click(**click)  # type: ignore[arg-type]  # arguments of any kind, as `click` has them
    return float(page.evaluate("window.taken")) / 1000


def smallest(page: Page, url: str) -> Iterator[tuple[str, float]]:
    yield "smallest page, loaded", loaded(page, url, shows("Here", "Here it is"))
    yield "the same and a chart, loaded", loaded(page, f"{url}?chart=yes", CHART)
    yield "smallest page, a click", answered(page, page.get_by_role("tab", name="There"), shows("There", "There it is"))
    table = page.get_by_test_id("stDataFrame")
    table.wait_for()
    yield "smallest page, a row", answered(page, table, shows("There", "Picked [0]"), **FIRST_ROW)


def compare(page: Page, url: str) -> Iterator[tuple[str, float]]:
    page.goto(f"{url}/Enhance")
    side = page.get_by_test_id("stSidebar")
    for name in ("Compare, the first time", "Compare, from another page"):
        side.get_by_role("link", name="Enhance").click()
        page.get_by_role("heading", name="Enhance", level=1).wait_for()
        yield name, answered(page, side.get_by_role("link", name="Compare"), READY)
    yield "Compare, loaded", loaded(page, f"{url}/Compare?a=lo2_a&b=lo2_b", READY)
    for tab, text in TABS.items():
        yield f"tab {tab}", answered(page, page.get_by_role("tab", name=tab, exact=True), shows(tab, text))
    page.get_by_role("tab", name="Flips").click()
    panel = page.get_by_role("tabpanel", name="Flips")
    button = "[...document.querySelectorAll('button')].find(b => b.textContent.includes('Explain in B'))"
    table = panel.get_by_test_id("stDataFrame")
    table.wait_for()
    yield "a row of Flips", answered(page, table, f"{button} && !{button}.disabled", **FIRST_ROW)


def explain(page: Page, url: str, where: str) -> Iterator[tuple[str, float]]:
    why, lines = "document.body.textContent.includes(' has z ')", shows("Lines", "numbered: first errors", INNER)
    yield "Explain, loaded", loaded(page, f"{url}/Explain{where}", f"{why} && {CHART}")
    yield "the next incident", answered(page, page.get_by_role("button", name="Next"), says("2 of "))
    yield "and back", answered(page, page.get_by_role("button", name="Previous"), says("1 of "))
    picked = shows("Lines", "with the selected item", INNER)
    items = page.get_by_test_id("stDataFrame").nth(1)
    yield "an item of the score", answered(page, items, picked, **FIRST_ROW)
    yield "the item let go", answered(page, items, lines, **FIRST_ROW)
    normal = shows("Nearest normal", "only in the normal", INNER)
    yield "beside the nearest normal", answered(page, page.get_by_role("tab", name="Nearest normal"), normal)
    request = shows("One request", "events in time order", INNER)
    yield "one request", answered(page, page.get_by_role("tab", name="One request"), request)


def _kind(name: str) -> str:
    """What the smallest page does that is most like it."""
    if name.endswith("loaded"):
        return "loaded"
    return "a row" if "row" in name or "item" in name else "a click"


@contextmanager
def serving(folder: Path, script: str = "") -> Iterator[Server]:
    server = Server(folder, script)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def prepare(folder: Path, sequences: int, root: Path | None) -> Workspace:
    """Two predictions to compare, and in a second workspace logs that are scored, to explain."""
    compared, explained = Workspace(folder / "ws"), Workspace(folder / "logs-ws")
    compared.root.mkdir()
    for seed, name in enumerate(("lo2_a", "lo2_b")):
        save_made_up(compared, name, sequences, seed)
    bundle = folder / "models" / "lo2_nn.joblib"
    run(explained, [root or write_sample(folder / "logs")], LoadOptions(), Recipe(), bundle)
    return explained


def main() -> None:
    parser = argparse.ArgumentParser(description="How long pages Compare and Explain take in a browser.")
    parser.add_argument("--predictions", type=int, default=50_000, metavar="N", help="sequences of each compared one")
    parser.add_argument("--root", type=Path, help="logs to explain; without it the synthetic sample")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        (folder / "smallest.py").write_text(SMALLEST)
        explained = prepare(folder, asked.predictions, asked.root)
        browser = playwright.chromium.launch(executable_path=installed_chromium(), args=CHROMIUM_ARGS)
        page = browser.new_context(viewport={"width": 1280, "height": 1400}).new_page()
        page.add_init_script(WATCH)
        with serving(folder, str(folder / "smallest.py")) as bare, serving(folder) as ours:

            def one_round() -> dict[str, float]:
                ours.restart()
                where = f"?ws={explained.root}&prediction=lo2_nn_predictions"
                pages = smallest(page, bare.url), compare(page, ours.url), explain(page, ours.url, where)
                return dict(chain.from_iterable(pages))

            first = one_round()
            rounds = [one_round() for _ in range(asked.rounds)]
        browser.close()
    print(f"two predictions of {asked.predictions:,} sequences, {asked.rounds} rounds after a first one")
    for name in first:
        seconds = median(one[name] for one in rounds)
        bare_name = f"smallest page, {_kind(name)}"
        ratio = median(one[name] / one[bare_name] for one in rounds)
        print(f"{name:28s} {seconds:5.2f} s   {ratio:4.1f} times the smallest page   first {first[name]:5.2f} s")


if __name__ == "__main__":
    main()
