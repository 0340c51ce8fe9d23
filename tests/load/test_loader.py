"""Loading: what is chosen, that nothing is lost on the way, and that the way does not matter."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from helpers.loglines import line, write_log, write_runs

from lo2core.base.config import SERVICES
from lo2core.base.errors import ExistsError, InputError
from lo2core.base.schemas import Counts, Events, Ledger, Messages, Sequences
from lo2core.explain.raw_lines import raw_lines
from lo2core.load.loader import LO2Loader, gather_loaded, head, load_folders
from lo2core.load.plan import LoadOptions, plan
from lo2core.load.read import Loaded
from lo2core.messages.masks import DEFAULT_RULES, Masker
from lo2core.pipeline.enhance import enhance_events
from lo2core.pipeline.inputs import extended_masker, masker_of
from lo2core.pipeline.load import load_logs
from lo2core.store.names import TABLES
from lo2core.store.workspace import Workspace

ROOT = Path(__file__).parents[2]
SAVED = (Events, Sequences, Ledger, Messages, Counts)


def load(*roots: Path, jobs: int = 2, **options: Any) -> Loaded:
    chosen = LoadOptions(**options)
    found = plan(roots, chosen)
    return gather_loaded((part for _, part in load_folders(found, chosen, Masker(), jobs=jobs)), None)


def same(one: Loaded, other: Loaded) -> bool:
    frames = [
        (loaded.events, loaded.sequences, loaded.ledger, loaded.items.messages, loaded.items.counts)
        for loaded in (one, other)
    ]
    return all(a.equals(b) for a, b in zip(*frames, strict=True))


def tables(workspace: Workspace) -> dict[str, pl.DataFrame]:
    return {TABLES[schema]: workspace.read(schema) for schema in SAVED}


def assert_same_tables(one: Workspace, other: Workspace) -> None:
    theirs = tables(other)
    for name, frame in tables(one).items():
        assert frame.equals(theirs[name]), name


def chosen_cases(root: Path, **options: Any) -> set[tuple[str | None, str | None]]:
    return {(file.run, file.folder) for file in plan([root], LoadOptions(**options)).chosen}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_runs(tmp_path_factory.mktemp("logs"), runs=3)


@pytest.fixture
def faults(tmp_path: Path) -> Path:
    for run in range(1, 4):
        for case in ("correct", "correct_1", "a_400", "b_401_x", "c_404"):
            for service in ("client", "token", "refresh-token"):
                write_log(tmp_path / f"run_{run}" / case, line(), service)
    return tmp_path


def test_without_options_everything_is_chosen(faults: Path) -> None:
    found = plan([faults])
    assert (len(found.chosen), found.left_out, found.runs) == (45, [], ["run_1", "run_2", "run_3"])
    assert found.sentence().startswith(
        "hand-made: 3 runs, 15 test case folders, 3 services (client, refresh-token, token)"
    )


def test_runs_are_the_first_by_name_and_services_are_exact(faults: Path) -> None:
    found = plan([faults], LoadOptions(n_runs=2, services=("token",)))
    assert {(file.run, file.service) for file in found.chosen} == {("run_1", "token"), ("run_2", "token")}
    assert len(found.left_out) == 35


def test_errors_are_drawn_with_the_seed(faults: Path) -> None:
    drawn = [chosen_cases(faults, errors_per_run=1, seed=seed) for seed in (7, 7, *range(20))]
    assert drawn[0] == drawn[1]
    assert len({frozenset(cases) for cases in drawn}) > 1
    assert all(len(cases) == 9 and ("run_2", "correct_1") in cases for cases in drawn)


def test_without_duplicates_runs_draw_different_faults(faults: Path) -> None:
    cases = {case for _, case in chosen_cases(faults, errors_per_run=1, dup_errors=False)}
    assert cases == {"correct", "correct_1", "a_400", "b_401_x", "c_404"}


def test_one_fault_by_name_or_at_random(faults: Path) -> None:
    assert {case for _, case in chosen_cases(faults, single_error_type="b_401_x")} == {
        "correct",
        "correct_1",
        "b_401_x",
    }
    assert len({case for _, case in chosen_cases(faults, single_error_type="random")}) == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_runs": 0}, "n_runs must be at least 1, found 0"),
        ({"errors_per_run": -1}, "errors_per_run must be at least 1"),
        ({"window": 0.0}, "window must be at least 0.1"),
        ({"window": float("nan")}, "window must be at least"),
        ({"skip_init_lines": -1}, "skip_init_lines must be at least 0"),
        ({"labels": "yes"}, "Valid names: names, none, normal"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        LoadOptions(**options)


def test_wrong_names_are_answered_with_those_that_exist(faults: Path) -> None:
    with pytest.raises(
        InputError,
        match=r"There is no log of service 'tokn'. Valid names: client, refresh-token, token. Did you mean 'token'",
    ):
        plan([faults], LoadOptions(services=("tokn",)))
    with pytest.raises(InputError, match=r"no faulty test case 'a_40'.*Did you mean 'a_400'"):
        plan([faults], LoadOptions(single_error_type="a_40"))


def test_labels_can_be_left_open_or_declared(faults: Path) -> None:
    assert load(faults, labels="none").sequences["normal"].null_count() == 45
    assert load(faults, labels="normal").sequences["normal"].all()
    named = load(faults).sequences
    assert dict(named.group_by("test_case").agg(pl.col("anomaly").all()).iter_rows())["a_400"]
    assert named.filter("normal")["test_case"].unique().to_list() == ["correct"]


def test_less_than_one_job_is_refused(runs: Path) -> None:
    with pytest.raises(InputError, match="number of jobs must be at least 1, found 0"):
        load(runs, jobs=0)


def test_events_keep_their_place_time_and_origin(tmp_path: Path) -> None:
    text = (
        "\tat orphan.Frame\n\n"
        + line("one size: 5", "23:59:59.900", "ERROR")
        + "x.Y: no\n\tat a.b.C\n"
        + line("two", "00:00:00.100")
    )
    write_log(tmp_path / "light-oauth2-data-1719619000" / "correct", text)
    loaded = load(tmp_path)
    event = loaded.events.row(0, named=True)
    assert event["m_message"] == "one size: 5\nx.Y: no\n\tat a.b.C"
    assert (event["line_no"], event["n_lines"], event["level"], event["method"]) == (3, 3, "ERROR", "handle")
    assert event["source"].endswith("light-oauth2-data-1719619000/correct/light-oauth2-oauth2-client-1.log")
    assert [str(moment) for moment in loaded.events["m_timestamp"]] == [
        "2024-06-28 23:59:59.900000",
        "2024-06-29 00:00:00.100000",
    ]
    texts = dict(loaded.items.messages.select("message_id", "text").iter_rows())
    assert texts[event["message_id"]] == "ERROR c.n.handler.Chain handle - one size: <NUM>"
    row = loaded.sequences.row(0, named=True)
    assert (row["seq_id"], row["events"], row["lines"]) == ("light-oauth2-data-1719619000__correct__client", 2, 4)
    traces = loaded.items.counts.filter(pl.col("kind") == "trace")
    assert sorted(texts[item] for item in traces["message_id"]) == ["\tat a.b.C", "\tat orphan.Frame", "x.Y: no"]


def test_line_numbers_of_stack_traces_are_those_of_the_file(tmp_path: Path) -> None:
    text = line("one") + "x.Y: no\n\n\tat a.b.C\n\n" + line("two") + "x.Z: no\n"
    write_log(tmp_path / "run_1" / "correct", text)
    numbered = raw_lines(load(tmp_path).events, Masker()).select("line_no", pl.col("text").str.strip_chars())
    written = text.splitlines()
    assert numbered["line_no"].to_list() == [1, 2, 4, 6, 7]
    assert all(written[n - 1].endswith(told) for n, told in numbered.iter_rows())


def test_a_log_without_a_date_is_marked(tmp_path: Path) -> None:
    write_log(tmp_path / "run_1" / "correct", line())
    loaded = load(tmp_path)
    assert loaded.ledger["dated"].to_list() == [False]
    assert loaded.events["m_timestamp"][0].year == 1970


def test_the_ledger_accounts_for_every_line_and_file(tmp_path: Path) -> None:
    folder = tmp_path / "run_1" / "correct"
    write_log(folder, "\tat orphan\n" + line() + "\tat a.b\n\n" + line())
    write_log(folder, "", "token")
    write_log(folder, line("caf\xe9").encode("latin-1") + b"\0\r\n", "user")
    write_log(folder, "a\nb", name="locust.log")
    write_log(folder / "metrics", "{}", name="x.json")
    loader = LO2Loader(tmp_path)
    loader.execute()
    rows = {Path(row["source"]).name: row for row in loader.ledger.iter_rows(named=True)}
    kinds = ("status", "lines", "events", "continuations", "orphans", "blank", "skipped", "invalid_bytes")
    assert {name: tuple(row[kind] for kind in kinds) for name, row in rows.items()} == {
        "light-oauth2-oauth2-client-1.log": ("read", 5, 2, 1, 1, 1, 0, 0),
        "light-oauth2-oauth2-token-1.log": ("empty", 0, 0, 0, 0, 0, 0, 0),
        "light-oauth2-oauth2-user-1.log": ("read", 2, 1, 1, 0, 0, 0, 1),
        "locust.log": ("ignored", 2, 0, 0, 0, 0, 2, 0),
        "x.json": ("ignored", 0, 0, 0, 0, 0, 0, 0),
    }
    assert loader.ledger["bytes"].sum() == sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())


def test_logs_that_are_not_chosen_stand_in_the_ledger(faults: Path) -> None:
    loader = LO2Loader(faults, n_runs=1, single_service="client")
    loader.execute()
    assert dict(loader.ledger["status"].value_counts().iter_rows()) == {"read": 5, "not chosen": 40}


@pytest.fixture
def long_token(unpack: Callable[..., Path]) -> Path:
    return unpack("lo2-long-token.tar.xz")


def counted(root: Path) -> tuple[int, int]:
    """Lines and bytes of all files, counted without any of our code."""
    texts = [path.read_bytes() for path in root.rglob("*.log")]
    return sum(text.count(b"\n") + (text[-1:] not in (b"\n", b"")) for text in texts), sum(map(len, texts))


@pytest.mark.real
@pytest.mark.parametrize("part", ["labeled", "long_token"])
def test_the_ledger_adds_up_on_real_logs(request: pytest.FixtureRequest, part: str) -> None:
    root: Path = request.getfixturevalue(part)
    loader = LO2Loader(root)
    loader.execute()
    total = loader.ledger.select(pl.col(pl.Int64).sum()).row(0, named=True)
    assert (total["lines"], total["bytes"]) == counted(root)
    assert total["lines"] == sum(total[kind] for kind in ("events", "continuations", "orphans", "blank", "skipped"))
    assert total["events"] == loader.df.height
    assert total["continuations"] == loader.df["n_lines"].sum() - loader.df.height
    assert total["continuations"] == loader.df["m_message"].str.count_matches("\n").sum()
    counts = loader.items.counts.group_by("kind").agg(pl.col("n").sum())
    counts = dict(counts.with_columns(pl.col("kind").cast(pl.String)).iter_rows())
    assert (counts["message"], counts.get("trace", 0)) == (total["events"], total["continuations"] + total["orphans"])


@pytest.mark.real
def test_real_logs_have_levels_threads_dates_and_few_messages(labeled: Path) -> None:
    loader = LO2Loader(labeled)
    loader.execute()
    assert loader.df["level"].null_count() == 0
    assert loader.df["thread"].null_count() == 0
    assert loader.df["correlation_id"].drop_nulls().str.len_chars().unique().to_list() == [22]
    assert loader.items.messages.filter(pl.col("kind") == "message").height < 800
    assert loader.df_seq["service"].n_unique() == 7


def test_a_test_case_is_cut_over_all_services_and_silence_is_a_row(tmp_path: Path) -> None:
    folder = tmp_path / "run_1" / "correct"
    write_log(folder, "\tat orphan\n" + "".join(line(f"n{n}", f"10:00:{n:02}.000") for n in range(19)), "client")
    write_log(folder, line("late", "10:00:17.500"), "token")
    write_log(tmp_path / "run_1" / "a_400", line() + line(), "token")
    loaded = load(tmp_path, window=6)
    rows = loaded.sequences.select("seq_id", "window", "events")
    assert rows.rows() == [
        ("run_1__a_400__token__w000", 0, 2),
        ("run_1__correct__client__w000", 0, 6),
        ("run_1__correct__client__w001", 1, 6),
        ("run_1__correct__client__w002", 2, 7),
        ("run_1__correct__token__w000", 0, 0),
        ("run_1__correct__token__w001", 1, 0),
        ("run_1__correct__token__w002", 2, 1),
    ]
    assert "run_1__correct__token__w000" not in set(loaded.items.counts["seq_id"])
    orphans = loaded.items.counts.filter(pl.col("kind") == "trace")
    assert orphans["seq_id"].to_list() == ["run_1__correct__client__w000"]


def test_without_windows_the_window_is_open(runs: Path) -> None:
    assert load(runs).sequences["window"].null_count() == 18


def test_skipped_lines_at_the_head_are_counted_and_not_scored(tmp_path: Path) -> None:
    write_log(tmp_path / "run_1" / "correct", line("start-up") + "\tat x\n" + line("work"))
    loaded = load(tmp_path, skip_init_lines=1)
    assert loaded.events["m_message"].to_list() == ["work"]
    assert loaded.ledger.select("orphans", "skipped").row(0) == (1, 1)


def test_jobs_and_batches_do_not_change_what_is_loaded(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = load(runs, jobs=1, window=4)
    assert same(one, load(runs, jobs=4, window=4))
    monkeypatch.setattr("lo2core.load.loader.BATCH_BYTES", 1)
    assert same(one, load(runs, jobs=2, window=4))


def test_folders_made_or_given_in_another_order_load_alike(runs: Path, tmp_path: Path) -> None:
    for file in sorted(runs.rglob("*.log"), reverse=True):
        copy = tmp_path / file.relative_to(runs)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    forth, back = load(*sorted(runs.iterdir())), load(*sorted(tmp_path.iterdir(), reverse=True))
    assert same(forth, back)


def test_runs_appended_one_by_one_give_the_same_tables(runs: Path, tmp_path: Path) -> None:
    whole, grown = Workspace(tmp_path / "whole"), Workspace(tmp_path / "grown")
    roots = sorted(runs.iterdir())
    load_logs(whole, roots)
    load_logs(grown, roots[:1])
    for root in roots[1:]:
        load_logs(grown, [root], append=True)
    assert_same_tables(whole, grown)


def test_flattened_test_cases_of_another_folder_can_be_appended_once(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    mon, tue = (tmp_path / name for name in ("mon", "tue"))
    for day in (mon, tue):
        write_log(day / "correct_1", line())
    load_logs(workspace, [mon])
    load_logs(workspace, [tue], append=True)
    assert workspace.read(Sequences)["run"].to_list() == ["run_1", "tue_run_1"]
    for again in ([mon], [tue]):
        assert "1 loaded already" in load_logs(workspace, again, append=True).plan
    for other in (mon / "correct_1", tue / "correct_1"):
        with pytest.raises(InputError, match="run_1 is loaded already"):
            load_logs(workspace, [other], append=True)
    load_logs(workspace, [mon, tue], append=True)  # together they have other names
    assert workspace.read(Sequences)["run"].sort().to_list() == ["mon_run_1", "tue_run_1"]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"options": LoadOptions(window=4)}, "loaded with window None, these logs would be with 4"),
        ({"options": LoadOptions(skip_init_lines=2)}, "loaded with skip_init_lines 0"),
        ({"save_events": False}, "loaded with save_events True"),
        ({"masker": Masker(DEFAULT_RULES[:1])}, "loaded with different masks"),
    ],
)
def test_an_append_must_be_cut_like_what_is_there(runs: Path, tmp_path: Path, how: dict[str, Any], words: str) -> None:
    first, second, _ = sorted(runs.iterdir())
    load_logs(Workspace(tmp_path), [first])
    with pytest.raises(InputError, match=words):
        load_logs(Workspace(tmp_path), [second], append=True, **how)


def test_an_append_by_an_earlier_version_that_broke_off_can_be_repeated(runs: Path, tmp_path: Path) -> None:
    whole, grown = Workspace(tmp_path / "whole"), Workspace(tmp_path / "grown")
    roots = sorted(runs.iterdir())
    load_logs(whole, roots)
    load_logs(grown, roots[:2])
    old = pl.read_parquet(grown.path(Sequences))
    load_logs(grown, roots[2:], append=True)
    old.write_parquet(grown.path(Sequences))  # all tables but the last were written, without an id
    load_logs(grown, roots[2:], append=True)
    assert_same_tables(whole, grown)


def test_a_log_that_was_not_chosen_is_read_in_the_ledger_once_it_is(runs: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    last = sorted(runs.iterdir())[-1]
    load_logs(workspace, [runs], LoadOptions(n_runs=2))
    assert (workspace.read(Ledger)["status"] == "not chosen").sum() == 6
    load_logs(workspace, [last], append=True)
    assert workspace.read(Ledger).filter(pl.col("run") == last.name, pl.col("status") == "read").height == 6


def test_loaded_tables_are_not_overwritten_unasked(runs: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    load_logs(workspace, [runs], LoadOptions(n_runs=1))
    with pytest.raises(ExistsError, match="--replace to load again, `load --append` to add runs"):
        load_logs(workspace, [runs])
    load_logs(workspace, [runs], replace=True)
    assert workspace.read(Sequences)["run"].n_unique() == 3


KILLED = """
import os, signal, sys
from lo2core.pipeline.load import load_logs
from lo2core.store import parts
from lo2core.store.workspace import Workspace
finish = parts.PartsWriter.finish
def finish_and_die(self, run):
    finish(self, run)
    if run.endswith("1719593986") and self.schema.__name__ == "Ledger":
        os.kill(os.getpid(), signal.SIGKILL)
parts.PartsWriter.finish = finish_and_die
load_logs(Workspace(sys.argv[2]), [sys.argv[1]], service=(sys.argv[3:] or [None])[0])
"""


def test_a_killed_load_goes_on_and_gives_the_same_tables(runs: Path, tmp_path: Path) -> None:
    whole, killed = Workspace(tmp_path / "whole"), Workspace(tmp_path / "killed")
    load_logs(whole, [runs])
    command = [sys.executable, "-c", KILLED, str(runs), str(killed.root)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not killed.has(Events)
    assert list(killed.root.rglob(".parts/*/*/run=*")), "finished parts stay"
    load_logs(killed, [runs])
    assert_same_tables(whole, killed)
    assert not (killed.root / ".parts").exists()


def test_a_log_that_was_edited_after_a_broken_load_is_read_anew(runs: Path, tmp_path: Path) -> None:
    logs, workspace = Path(shutil.copytree(runs, tmp_path / "logs")), Workspace(tmp_path / "ws")
    subprocess.run([sys.executable, "-c", KILLED, str(logs), str(workspace.root)], check=False)
    assert list(workspace.root.rglob(".parts/*/*/run=*"))
    log = min(logs.rglob("*.log"))
    text = log.read_text()
    log.write_text(text.replace(text[-5:], "abcd\n"))
    load_logs(workspace, [logs])
    assert workspace.read(Events)["m_message"].str.contains("abcd").any()


def test_a_broken_load_that_is_repeated_for_another_service_is_read_anew(tmp_path: Path) -> None:
    logs, workspace = tmp_path / "logs", Workspace(tmp_path / "ws")
    for run in (1719592986, 1719593986):
        write_log(logs / f"light-oauth2-data-{run}" / "correct", line(), name="app.log")
    command = [sys.executable, "-c", KILLED, str(logs), str(workspace.root), "client"]
    subprocess.run(command, check=False)
    assert list(workspace.root.rglob(".parts/*/*/run=*"))
    load_logs(workspace, [logs], service="code")
    assert workspace.read(Sequences)["service"].unique().to_list() == ["code"]


def test_a_new_sample_is_masked_as_its_workspace(runs: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    load_logs(workspace, [runs])
    masker = extended_masker(workspace, [("mine", "never there", "<MINE>")])
    enhance_events(workspace, masker=masker, replace=True)
    sample = workspace.sample("today")
    load_logs(sample, [runs], LoadOptions(n_runs=1))
    assert masker_of(sample).fingerprint == masker.fingerprint


def test_the_loader_of_the_note_has_its_parameters(faults: Path) -> None:
    loader = LO2Loader(
        filename=str(faults),
        n_runs=2,
        errors_per_run=1,
        dup_errors=True,
        single_error_type="a_400",
        single_service="token",
    )
    assert loader.execute() is loader.df
    assert set(loader.df_seq["test_case"]) == {"correct", "a_400"}
    assert set(loader.df["service"]) == {"token"}


def test_the_head_is_the_first_events(runs: Path) -> None:
    found = head(plan([runs]), LoadOptions(), 4)
    assert found.equals(load(runs).events.head(4))


def test_a_table_of_logleads_loader_is_read_as_the_logs_it_came_from(sample_logs: Path, tmp_path: Path) -> None:
    run = min(sample_logs.iterdir())
    logs = sorted(run.glob("correct/*oauth2-*.log"))
    lines = [(log.stem, line) for log in logs for line in log.read_text().splitlines() if line[:2].isdigit()]
    table = pl.DataFrame(lines, schema=["service", "m_message"], orient="row")
    table = table.with_columns(run=pl.lit(run.name), test_case=pl.lit("correct"), seq_id=pl.lit("one"))
    table.write_parquet(tmp_path / "lo2.parquet")

    loader = LO2Loader(tmp_path / "lo2.parquet")
    events = loader.execute()

    assert events.height == len(lines)
    assert events["service"].unique().sort().to_list() == sorted(SERVICES)
    assert events["m_timestamp"].null_count() == 0 and events["level"].null_count() == 0
    assert loader.df_seq["normal"].all()


def test_loading_anew_without_events_leaves_no_events_of_other_logs_behind(sample_logs: Path, tmp_path: Path) -> None:
    first, second, *_ = sorted(sample_logs.iterdir())
    workspace = Workspace(tmp_path)
    load_logs(workspace, [first], LoadOptions(services=("key",)))

    load_logs(workspace, [second], LoadOptions(services=("key",)), save_events=False, replace=True)

    assert not workspace.has(Events)
    assert workspace.read(Sequences)["run"].unique().to_list() == [second.name]
