from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from helpers.explained import OK, sequence

from lo2core.base.errors import ArtefactError, ExistsError, InputError
from lo2core.base.schemas import Counts, Events, Predictions, Sequences
from lo2core.store.atomic import write_atomic, write_bytes_atomic
from lo2core.store.bundles import bundle_path
from lo2core.store.names import given_name
from lo2core.store.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "work [1]")  # a name that a glob would misread


@pytest.fixture
def counts() -> pl.DataFrame:
    rows = [("b", "message", 7, 2), ("a", "trace", 2**64 - 1, 1), ("a", "message", 3, 5)]
    return pl.DataFrame(rows, schema=Counts.create_empty().schema, orient="row")


def predictions(**columns: object) -> pl.DataFrame:
    values = {name: [None] for name in Predictions.column_names()}
    values |= {name: ["a"] for name in ("seq_id", "run", "folder", "test_case", "service")}
    values |= {"threshold": [3.0], "score": [1.5]} | {name: [value] for name, value in columns.items()}
    return pl.DataFrame(values, schema=Predictions.create_empty().schema)


def contents(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_events_of_an_earlier_version_are_read_without_what_was_added_since(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    path = workspace.write(Events, sequence("run_1", "correct", [OK]), provenance={})
    pl.read_parquet(path).drop("line_offsets").write_parquet(path)
    assert workspace.read(Events)["line_offsets"].to_list() == [None, None]


@pytest.mark.parametrize("stop", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_writer_leaves_the_old_file_whole(tmp_path: Path, stop: type[BaseException]) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def writer(temporary: Path) -> None:
        temporary.write_text("half of the n")
        raise stop

    with pytest.raises(stop):
        write_atomic(path, writer, replace=True)
    assert path.read_text() == "old"
    assert contents(tmp_path) == {"file"}


def test_an_existing_file_is_only_replaced_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "file"
    write_bytes_atomic(path, b"one")
    with pytest.raises(ExistsError, match="--replace"):
        write_bytes_atomic(path, b"two")
    assert path.read_bytes() == b"one"
    write_bytes_atomic(path, b"three", replace=True)
    assert path.read_bytes() == b"three"


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"

    def writer(temporary: Path) -> None:
        temporary.write_text("ours")
        path.write_text("theirs")

    with pytest.raises(ExistsError):
        write_atomic(path, writer)
    assert path.read_text() == "theirs"
    assert contents(tmp_path) == {"file"}


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtefactError, match="could not be written"):
        write_bytes_atomic(tmp_path / "file" / "below", b"")


def test_what_is_written_is_read_with_its_provenance(workspace: Workspace, counts: pl.DataFrame) -> None:
    path = workspace.write(Counts, counts, provenance={"command": "load"})
    assert path == workspace.root / "lo2_counts.parquet"
    assert workspace.read(Counts).equals(counts)
    assert workspace.scan(Counts).select("n").collect()["n"].to_list() == [2, 1, 5]
    assert workspace.read(Counts, columns=["n", "seq_id"]).columns == ["n", "seq_id"]
    assert workspace.metadata(Counts)["table"] == "counts"
    assert workspace.metadata(Counts)["command"] == "load"
    artefact = workspace.artefact("lo2_counts")
    assert (artefact.exists, artefact.by_hand, artefact.rows, artefact.problem) == (True, False, 3, "")


def test_only_declared_columns_are_saved(workspace: Workspace, counts: pl.DataFrame) -> None:
    workspace.write(Counts, counts.select(pl.lit(1).alias("extra"), *reversed(counts.columns)), provenance={})
    assert pl.read_parquet(workspace.path(Counts), glob=False).columns == Counts.column_names()


MISFITS = [
    (lambda f: f.drop("n", "kind"), r"lo2_counts lacks the columns kind, n \(got seq_id, message_id\)"),
    (lambda f: f.cast({"n": pl.Int32}), "n: got Int32, expected Int64"),
    (lambda f: f.with_columns(n=pl.lit(0, pl.Int64)), "lo2_counts violates its schema.*'min' failed"),
]


@pytest.mark.parametrize(
    ("change", "words"), [*MISFITS, (lambda f: pl.concat([f, f]), "'primary_key' failed for 6 rows")]
)
def test_a_frame_that_does_not_fit_is_not_saved(workspace: Workspace, counts: pl.DataFrame, change, words: str) -> None:
    with pytest.raises(ArtefactError, match=words):
        workspace.write(Counts, change(counts), provenance={})
    assert not workspace.has(Counts)


@pytest.mark.parametrize(("change", "words"), MISFITS)
def test_a_stream_that_does_not_fit_is_not_saved(
    workspace: Workspace, counts: pl.DataFrame, change, words: str
) -> None:
    with pytest.raises(ArtefactError, match=words):
        workspace.sink(Counts, change(counts).lazy(), provenance={})
    assert not workspace.has(Counts)


def test_a_streamed_table_is_the_same(workspace: Workspace, counts: pl.DataFrame) -> None:
    workspace.write(Counts, counts, provenance={})
    workspace.sink(Counts, workspace.scan(Counts).reverse(), provenance={"by": "sink"}, replace=True)
    assert workspace.read(Counts).equals(counts.reverse())
    assert workspace.metadata(Counts)["by"] == "sink"


def test_an_artefact_is_not_replaced_unasked(workspace: Workspace, counts: pl.DataFrame) -> None:
    workspace.write(Counts, counts, provenance={})
    with pytest.raises(ExistsError, match=r"lo2_counts\.parquet already exists.*--replace"):
        workspace.write(Counts, counts.head(1), provenance={})
    with pytest.raises(ExistsError):
        workspace.sink(Counts, counts.lazy(), provenance={})
    assert workspace.read(Counts).height == 3


def test_a_file_written_by_hand_works(workspace: Workspace, counts: pl.DataFrame) -> None:
    workspace.root.mkdir()
    other_types = {"kind": pl.String, "n": pl.UInt8}
    counts.cast(other_types).with_columns(note=pl.lit("mine")).write_parquet(workspace.path(Counts))
    assert workspace.read(Counts).equals(counts)
    artefact = workspace.artefact(Counts)
    assert artefact.by_hand
    assert artefact.metadata == {}
    assert artefact.created is not None


def test_times_and_empty_columns_written_by_hand_are_taken(workspace: Workspace) -> None:
    times = pl.Series([datetime(2026, 1, 2, 3, 4, 5, 6000)], dtype=pl.Datetime("ns"))
    columns = {name: ["a"] for name in ("seq_id", "run", "folder", "test_case", "service")}
    columns |= {name: [None] for name in ("repetition", "window", "normal", "anomaly")}
    frame = pl.DataFrame({**columns, "start_time": times, "end_time": times, "events": [1], "lines": [1], "bytes": [1]})
    workspace.root.mkdir()
    frame.write_parquet(workspace.path(Sequences))
    read = workspace.read(Sequences)
    assert read.schema == Sequences.create_empty().schema
    assert read["start_time"].item() == datetime(2026, 1, 2, 3, 4, 5, 6000)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (
            pl.DataFrame({"seq_id": ["a"], "n": [1]}),
            r"lacks the columns kind, message_id \(got seq_id, n\).*lo2core load",
        ),
        (
            pl.DataFrame({"seq_id": [1], "kind": ["trace"], "message_id": [1], "n": [1]}),
            "seq_id: got Int64, expected String",
        ),
        (
            pl.DataFrame({"seq_id": ["a"], "kind": ["trace"], "message_id": [-1], "n": [1]}),
            "damaged or not a lo2core table",
        ),
        (
            pl.DataFrame({"seq_id": ["a"], "kind": ["other"], "message_id": [1], "n": [1]}),
            "damaged or not a lo2core table",
        ),
    ],
)
def test_a_foreign_table_is_refused(workspace: Workspace, frame: pl.DataFrame, words: str) -> None:
    workspace.root.mkdir()
    frame.write_parquet(workspace.path(Counts))
    with pytest.raises(ArtefactError, match=words):
        workspace.read(Counts)


def test_a_missing_table_names_the_command_that_makes_it(workspace: Workspace) -> None:
    with pytest.raises(ArtefactError, match=r"python -m lo2core load --root PATH --output-dir .*work"):
        workspace.read(Counts)
    with pytest.raises(ArtefactError, match=r"lo2core predict .* --predictions tuesday"):
        workspace.read(Predictions, "tuesday")
    assert not workspace.artefact(Counts).exists
    assert workspace.metadata(Counts) == {}


@pytest.mark.parametrize("damage", [lambda data: data[:-50], lambda data: b"", lambda data: b"seq_id,n\na,1\n" * 9])
def test_a_damaged_table_is_a_clear_error(workspace: Workspace, counts: pl.DataFrame, damage) -> None:
    path = workspace.write(Counts, counts, provenance={})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ArtefactError, match="damaged"):
        workspace.read(Counts)
    assert "damaged" in workspace.artefact(Counts).problem
    assert workspace.predictions() == []


def test_predictions_are_found_by_what_they_are_newest_first(workspace: Workspace, counts: pl.DataFrame) -> None:
    workspace.write(Counts, counts, provenance={})
    workspace.write(Predictions, predictions(), name="monday", provenance={"created": "2026-01-05T08:00:00+00:00"})
    workspace.write(Predictions, predictions(), name="tuesday", provenance={"created": "2026-01-06T08:00:00+00:00"})
    pl.DataFrame({"seq_id": ["a"], "score": [0.5]}).write_parquet(workspace.root / "by hand.parquet")
    counts.with_columns(score=0.5).write_parquet(workspace.root / ".hidden.parquet")
    assert workspace.predictions() == ["by hand", "tuesday", "monday"]


def test_predictions_may_be_named_after_the_longest_bundle(workspace: Workspace) -> None:
    bundle = bundle_path("b" * 100, workspace.root)
    assert given_name(f"{bundle.stem}_predictions_new_12") == f"{bundle.stem}_predictions_new_12"
    with pytest.raises(InputError, match="up to 100"):
        bundle_path("b" * 101, workspace.root)
    with pytest.raises(InputError, match="up to 125"):
        given_name("p" * 126)


def test_free_names_follow_the_note(workspace: Workspace) -> None:
    names = []
    for _ in range(3):
        names.append(workspace.free_name("lo2_if_predictions"))
        workspace.write(Predictions, predictions(), name=names[-1], provenance={})
    assert names == ["lo2_if_predictions", "lo2_if_predictions_new", "lo2_if_predictions_new_2"]


def test_samples_are_workspaces_of_their_own(workspace: Workspace, counts: pl.DataFrame) -> None:
    workspace.sample("2026-01-05").write(Counts, counts, provenance={})
    assert [sample.root.name for sample in workspace.samples()] == ["2026-01-05"]
    assert not workspace.has(Counts)
    assert workspace.explanations("monday") == workspace.root / "explainability" / "monday"


@pytest.mark.parametrize("name", ["..", "../up", "a/b", "", ".hidden", "with space", "a\0b", "x" * 101])
def test_sample_names_cannot_leave_their_folder(workspace: Workspace, name: str) -> None:
    with pytest.raises(InputError, match="letters, digits"):
        workspace.sample(name)


@pytest.mark.parametrize("name", ["..", "../up", "a/b", "/etc/passwd", ""])
def test_table_names_cannot_leave_their_folder(workspace: Workspace, name: str) -> None:
    with pytest.raises(InputError):
        workspace.path(name)


def test_parts_survive_a_break_and_the_load_goes_on(workspace: Workspace, counts: pl.DataFrame) -> None:
    with pytest.raises(KeyboardInterrupt), workspace.parts(Counts) as parts:
        parts.append("run 1/é", counts.head(1))
        parts.finish("run 1/é")
        parts.append("run 2", counts.slice(1, 1))
        raise KeyboardInterrupt

    with workspace.parts(Counts) as parts:
        assert parts.finished() == {"run 1/é"}
        parts.append("run 2", counts.slice(1, 1))
        parts.append("run 2", counts.slice(2, 1))
        parts.finish("run 3 without a row")
    assert parts.finished() == {"run 1/é", "run 2", "run 3 without a row"}

    parts.merge({"command": "load"})
    workspace.clear_parts()
    assert workspace.read(Counts).equals(counts)
    assert workspace.metadata(Counts)["command"] == "load"
    assert contents(workspace.root) == {"lo2_counts.parquet"}


def test_merged_parts_equal_the_concatenation_by_run(workspace: Workspace) -> None:
    frame = pl.DataFrame(
        {"seq_id": "s", "kind": "message", "message_id": pl.int_range(200_000, eager=True), "n": 1},
        schema_overrides=Counts.create_empty().schema,
    )
    with workspace.parts(Counts) as parts:
        for start in range(0, frame.height, 30_000):
            parts.append(f"run{start >= 90_000:d}", frame.slice(start, 30_000))
        parts.append("run2", frame.head(0))
    parts.merge({})
    assert workspace.read(Counts).equals(frame)


def test_merging_can_keep_earlier_rows(workspace: Workspace, counts: pl.DataFrame) -> None:
    workspace.write(Counts, counts.head(1), provenance={})
    with workspace.parts(Counts) as parts:
        parts.append("run", counts.tail(2))
    with pytest.raises(ExistsError):
        parts.merge({})
    parts.merge({}, replace=True, before=[workspace.scan(Counts)])
    assert workspace.read(Counts).equals(counts)


@pytest.mark.parametrize("what", ["garbage", "pipe", "device", "folder", "lost", "other columns"])
def test_a_part_that_cannot_be_read_is_made_again(workspace: Workspace, counts: pl.DataFrame, what: str) -> None:
    with workspace.parts(Counts) as parts:
        parts.append("good", counts.head(1))
        parts.append("odd", counts.slice(1, 1))
    odd = parts.folder / "run=odd" / "000000.parquet"
    odd.unlink()
    {
        "garbage": lambda: odd.write_bytes(b"PAR1 and no more"),
        "pipe": lambda: os.mkfifo(odd),
        "device": lambda: odd.symlink_to("/dev/zero"),
        "folder": odd.mkdir,
        "lost": lambda: odd.symlink_to("nowhere"),
        "other columns": lambda: pl.DataFrame({"x": [1]}).write_parquet(odd),
    }[what]()
    with workspace.parts(Counts) as parts:
        assert parts.finished() == {"good"}
        parts.append("odd", counts.slice(1, 1))
    parts.merge({"command": "load"})
    assert workspace.read(Counts).equals(counts.head(2))


def test_parts_of_another_load_are_not_seen(workspace: Workspace, counts: pl.DataFrame) -> None:
    with workspace.parts(Counts, "window-6") as parts:
        parts.append("run", counts)
    assert workspace.parts(Counts, "window-6").finished() == {"run"}
    assert workspace.parts(Counts).finished() == set()


def test_a_part_is_checked(workspace: Workspace, counts: pl.DataFrame) -> None:
    with pytest.raises(ArtefactError, match="n: got Int32"), workspace.parts(Counts) as parts:
        parts.append("run", counts.cast({"n": pl.Int32}))
    with pytest.raises(ArtefactError, match="'min' failed"), workspace.parts(Counts) as parts:
        parts.append("run", counts.with_columns(n=pl.lit(0, pl.Int64)))
    assert parts.finished() == set()


@pytest.mark.parametrize(
    "footer",
    [
        *('{"created": "yesterday"}', '{"created": 5}', '{"created": "2026-01-01T00:00:00"}', '{"table": ["counts"]}'),
        *('{"model": 3, "bundle": {}, "options": []}', "[1]", "null", "{", "[" * 100_000, "\x00"),
    ],
)
def test_an_odd_footer_counts_as_not_recorded(workspace: Workspace, counts: pl.DataFrame, footer: str) -> None:
    path = workspace.path(Counts)
    path.parent.mkdir(parents=True, exist_ok=True)
    counts.write_parquet(path, metadata={"lo2core": footer})
    artefact = workspace.artefact(Counts)
    assert (artefact.exists, artefact.problem) == (True, "")
    assert artefact.created is not None and artefact.created.tzinfo is not None
    assert not {"created", "table", "model", "bundle", "options"} & artefact.metadata.keys()
    assert workspace.read(Counts).height == counts.height
