"""The synthetic LO2 folder: its shape, its traps, and that it is the same everywhere."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
from helpers.commands import call

from lo2core.base.config import SERVICES
from lo2core.base.errors import InputError
from lo2core.load.synthetic import write_sample
from lo2core.load.synthetic_calls import FAULTS

HEADER = re.compile(
    r"(\d\d):(\d\d):(\d\d)\.(\d{3}) \[(?:XNIO-1 task-\d\]  ([\w-]{22})|hz\.[\w.-]+\]  )"
    r" (?:DEBUG|INFO |WARN |ERROR) \S+ \S+ - \S"
)
CONTINUATION = re.compile(r"\tat \S+|\t\.\.\. \d+ more|[a-z]+(?:\.\w+)+(?:: .*)?")
DAY = 86_400_000


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("sample"))


def digest(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    parts = [path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() for path in files]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def logs(sample: Path, pattern: str = "*/*") -> list[Path]:
    return sorted(sample.glob(f"{pattern}/light-oauth2-oauth2-*-1.log"))


def stamps(log: Path) -> list[int]:
    """Milliseconds of the day of a log's events."""
    found = [HEADER.match(line) for line in log.read_text().splitlines()]
    clocks = [[int(part) for part in header.groups()[:4]] for header in found if header]
    return [((hour * 60 + minute) * 60 + second) * 1000 + ms for hour, minute, second, ms in clocks]


def duration(test_case: Path) -> int:
    moments = [moment for log in test_case.glob("light-*.log") for moment in stamps(log)]
    late = max(moments) - min(moments) > DAY // 2
    moments = [moment + DAY if late and moment < DAY // 2 else moment for moment in moments]
    return max(moments) - min(moments)


def test_same_seed_gives_same_bytes_whatever_the_hash_seed_and_the_time_zone(sample: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; "
        "from lo2core.load.synthetic import write_sample; write_sample(Path(sys.argv[1]))"
    )
    env = os.environ | {"PYTHONHASHSEED": "11", "TZ": "Asia/Tokyo"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "again")], check=True, env=env)
    assert digest(tmp_path / "again") == digest(sample)


def test_another_seed_gives_other_bytes(tmp_path: Path) -> None:
    assert digest(write_sample(tmp_path / "a", seed=1, runs=1)) != digest(write_sample(tmp_path / "b", seed=2, runs=1))


def test_six_runs_of_twelve_faults_and_twenty_normal_test_cases(sample: Path) -> None:
    runs = sorted(sample.iterdir())
    cases = {run.name: {folder.name for folder in run.iterdir()} for run in runs}
    assert len(runs) == 6
    assert all(re.fullmatch(r"light-oauth2-data-\d{10}", name) for name in cases)
    assert len(FAULTS) == 12
    assert all(folders >= set(FAULTS) | {"correct"} for folders in cases.values())
    assert sum(len(folders - set(FAULTS)) for folders in cases.values()) == 20


def test_every_test_case_holds_a_log_of_each_service(sample: Path) -> None:
    expected = {f"light-oauth2-oauth2-{service}-1.log" for service in SERVICES}
    for test_case in sample.glob("*/*"):
        locust = {"locust.log"} if test_case.name == "correct" else set()
        assert {path.name for path in test_case.iterdir()} == expected | locust
        assert all(path.stat().st_size for path in test_case.iterdir())


def test_it_is_small(sample: Path) -> None:
    assert 8e6 < sum(log.stat().st_size for log in logs(sample)) < 20e6


def test_every_line_is_an_event_or_continues_one(sample: Path) -> None:
    lines = [line for log in logs(sample) for line in log.read_text().splitlines()]
    odd = [line for line in lines if not HEADER.match(line) and not CONTINUATION.fullmatch(line)]
    assert odd == []


def test_stack_traces_and_all_levels_are_there(sample: Path) -> None:
    text = "".join(log.read_text() for log in logs(sample, "*/correct"))
    assert text.count("\n\tat ") > 0.05 * text.count("\n")
    assert all(f" {level}" in text for level in ("DEBUG com", "INFO  com", "WARN  com", "ERROR c.n"))


def test_no_placeholder_is_left(sample: Path) -> None:
    text = "".join(log.read_text() for log in logs(sample))
    assert set(re.findall(r"<\w+>", text)) == {"<init>"}


def test_correct_lasts_six_times_longer(sample: Path) -> None:
    run = sorted(sample.iterdir())[0]
    others = [duration(folder) for folder in run.iterdir() if folder.name != "correct"]
    assert duration(run / "correct") / (sum(others) / len(others)) == pytest.approx(6, rel=0.1)


def test_correlation_ids_travel_through_services(sample: Path) -> None:
    seen = defaultdict(set)
    for log in logs(sample, "*/correct_1"):
        for line in log.read_text().splitlines():
            if (header := HEADER.match(line)) and header[5]:
                seen[header[5]].add(log.name)
    assert sum(len(services) > 1 for services in seen.values()) > 0.1 * len(seen)


def test_time_only_steps_back_at_midnight(sample: Path) -> None:
    steps = [later - earlier for log in logs(sample) for earlier, later in pairwise(stamps(log))]
    backwards = [step for step in steps if step < 0]
    assert backwards, "one run passes midnight"
    assert all(step < -DAY // 2 for step in backwards)


def test_a_process_starts_in_the_first_test_case_only(sample: Path) -> None:
    started = [log for log in logs(sample) if "HikariPool-1 - configuration:" in log.read_text()]
    assert len(started) == 6 * len(SERVICES)
    assert {log.parent.name for log in started} == {"correct"}


@pytest.mark.parametrize("code", ["REFRESH_TOKEN_NOT_FOUND", "RUNTIME_EXCEPTION"])
def test_normal_test_cases_are_not_free_of_errors(sample: Path, code: str) -> None:
    for run in sample.iterdir():
        assert any(code in log.read_text() for log in logs(run, "correct"))


def test_faults_add_words_that_normals_do_not_hold_but_for_three(sample: Path) -> None:
    normal = "".join(log.read_text() for log in logs(sample, "*/correct*"))
    codes = {fault: "".join(log.read_text() for log in logs(sample, f"*/{fault}")) for fault in FAULTS}
    marks = re.compile(r"ERR\d+|NOT_AUTHENTICATED")
    known = set(marks.findall(normal))
    hidden = {fault for fault, text in codes.items() if not set(marks.findall(text)) - known}
    assert hidden == {"code_verifier_missing_pkce_400", "delete_token_404", "register_client_404_no_user"}


@pytest.mark.parametrize(
    ("fault", "service", "code"),
    [("code_verifier_missing_pkce_400", "token", "ERR12040"), ("delete_token_404", "refresh-token", "ERR12029")],
)
def test_two_faults_only_shift_frequencies(sample: Path, fault: str, service: str, code: str) -> None:
    def count(folder: str) -> float:
        found = [path.read_text().count(code) for path in sample.glob(f"*/{folder}/*-{service}-1.log")]
        return sum(found) / len(found)

    assert count(fault) > 5 * count("correct_[0-9]")
    assert count("correct") > 0


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    for name in ("mine.txt", ".mine.tmp"):
        (tmp_path / name).write_text("keep")
    with pytest.raises(InputError, match="new or empty folder"):
        write_sample(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"mine.txt", ".mine.tmp"}


def test_what_a_killed_process_has_written_is_replaced(tmp_path: Path) -> None:
    """It was killed when it had moved one of two runs of another seed from its temporary folder to an empty one."""
    whole = digest(write_sample(tmp_path / "whole", runs=2))
    there = tmp_path / "there"
    unfinished = there / ".sample.0123abcd.tmp"
    unfinished.mkdir(parents=True)
    for run in sorted(write_sample(unfinished / "other", seed=1, runs=2).iterdir())[:1]:
        run.rename(there / run.name)
    assert digest(write_sample(there, runs=2)) == whole
    (tmp_path / ".new.0123abcd.tmp").mkdir()
    (tmp_path / ".mine.tmp").touch()
    assert digest(write_sample(tmp_path / "new", runs=2)) == whole
    assert {path.name for path in tmp_path.iterdir()} == {"whole", "there", "new", ".mine.tmp"}


def test_a_killed_command_that_is_repeated_writes_the_whole_sample(sample: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    shutil.copytree(sample, there)
    (there / ".sample.0123abcd.tmp").mkdir()
    max(there.glob("light-*")).rename(there / ".sample.0123abcd.tmp" / "the last run")
    assert call("sample", "--output-dir", there) == 0
    assert digest(there) == digest(sample)


def test_no_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one run, found 0"):
        write_sample(tmp_path / "none", runs=0)
