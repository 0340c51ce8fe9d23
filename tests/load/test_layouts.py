"""Where logs are found and what they are called, in every layout of the data's description."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from helpers.loglines import line, write_log

from lo2core.base.errors import InputError
from lo2core.load import layouts
from lo2core.load.layouts import LogFile, find_logs, natural, service_of, split_repetition

LOG = "light-oauth2-oauth2-client-1.log"


def names(file: LogFile) -> tuple[str | None, str | None, str | None, int | None, str | None, bool | None]:
    return file.run, file.folder, file.test_case, file.repetition, file.service, file.normal


@pytest.mark.parametrize(
    ("file_name", "service"),
    [
        ("light-oauth2-oauth2-client-1.log", "client"),
        ("light-oauth2-oauth2-refresh-token-1.log", "refresh-token"),
        ("light-oauth2-oauth2-token-1.log", "token"),
        ("oauth2-refresh-token.log", "refresh-token"),
        ("OAuth2-Token-1.LOG", "token"),
        ("light-oauth2-oauth2-client-2.log", "client-2"),
        ("light-oauth2-oauth2-service-1.log", "service"),
        ("light-oauth2-oauth2-service-1.log.gz", "service"),
        ("light-oauth2-oauth2-service-1.log.zip", None),
        ("light-oauth2-mysqldb-1.log", None),
        ("jaeger-container.log", None),
        ("locust.log", None),
        ("refresh-token.log", None),
        ("oauth2-tokenizer.log", None),
        ("oauth2-service-registry-1.log", None),
        ("oauth2-refresh.log", None),
        ("myoauth2-token.log", None),
        ("._light-oauth2-oauth2-client-1.log", None),
    ],
)
def test_service_comes_from_the_file_name(file_name: str, service: str | None) -> None:
    assert service_of(file_name) == service


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("correct", ("correct", None)),
        ("correct_10", ("correct", 10)),
        ("correct_404", ("correct", 404)),
        ("access_token_illegal_grant_type_400", ("access_token_illegal_grant_type_400", None)),
        ("access_token_illegal_grant_type_400_3", ("access_token_illegal_grant_type_400", 3)),
        ("access_token_illegal_grant_type_400_403", ("access_token_illegal_grant_type_400_403", None)),
        ("register_user_400_no_password_1", ("register_user_400_no_password", 1)),
        ("some_case_500", ("some_case", 500)),
        ("some_case_40", ("some_case", 40)),
    ],
)
def test_suffix_is_a_repetition_unless_it_is_a_status(folder: str, expected: tuple[str, int | None]) -> None:
    assert split_repetition(folder) == expected


@pytest.mark.parametrize(
    ("path", "layout", "expected"),
    [
        (f"light-oauth2-data-1719592986/correct/{LOG}", "full set", ("light-oauth2-data-1719592986", "correct")),
        (f"logs/light-oauth2-data-1719592986/correct/{LOG}", "full set", ("light-oauth2-data-1719592986", "correct")),
        (f"LO2_run_1719592986/correct/{LOG}", "newer script", ("LO2_run_1719592986", "correct")),
        ("run_0001/correct/oauth2-client.log", "hand-made", ("run_0001", "correct")),
        (f"correct_3/{LOG}", "flattened", ("run_3", "correct_3")),
        (f"correct/{LOG}", "folders by run", ("root", "correct")),
        (LOG, "one folder", ("root", "root")),
    ],
)
def test_every_layout_gives_run_and_folder(tmp_path: Path, path: str, layout: str, expected: tuple[str, str]) -> None:
    write_log((tmp_path / "root" / path).parent, line(), name=Path(path).name)
    (file,) = find_logs([tmp_path / "root"])
    assert (file.layout, (file.run, file.folder)) == (layout, expected)
    assert file.normal is (True if "correct" in path else None)


def test_repetitions_stand_beside_their_test_case_in_a_run(tmp_path: Path) -> None:
    for folder in ("correct", "correct_1", "get_token_page_400_no_page", "get_token_page_400_no_page_2"):
        write_log(tmp_path / "LO2_run_1719592986" / folder, line())
    assert [names(file)[1:] for file in find_logs([tmp_path])] == [
        ("correct", "correct", None, "client", True),
        ("correct_1", "correct", 1, "client", True),
        ("get_token_page_400_no_page", "get_token_page_400_no_page", None, "client", False),
        ("get_token_page_400_no_page_2", "get_token_page_400_no_page", 2, "client", False),
    ]


def test_epoch_of_the_run_is_its_start_and_its_order(tmp_path: Path) -> None:
    for run in ("light-oauth2-data-1800000000", "LO2_run_1719592986", "light-oauth2-data-999999999", "run_1"):
        write_log(tmp_path / run / "correct", line())
    files = find_logs([tmp_path])
    assert [file.run for file in files] == [
        "light-oauth2-data-999999999",
        "LO2_run_1719592986",
        "light-oauth2-data-1800000000",
        "run_1",
    ]
    assert [file.epoch for file in files][1:4:2] == [datetime(2024, 6, 28, 16, 43, 6), None]


def test_single_log_takes_run_and_test_case_from_its_folders(tmp_path: Path) -> None:
    path = write_log(tmp_path / "light-oauth2-data-1719592986" / "correct", line(), "refresh-token")
    (file,) = find_logs([path])
    assert names(file) == ("light-oauth2-data-1719592986", "correct", "correct", None, "refresh-token", True)


def test_service_is_asked_for_only_where_no_name_says_it(tmp_path: Path) -> None:
    write_log(tmp_path / "a", line(), name="upload.log")
    assert find_logs([tmp_path], service="token")[0].service == "token"
    write_log(tmp_path / "a", line(), "client")
    assert [file.service for file in find_logs([tmp_path], service="token")] == ["client", None]


def test_upload_without_test_case_names_has_no_labels(tmp_path: Path) -> None:
    write_log(tmp_path / "monday" / "night", line())
    assert find_logs([tmp_path])[0].normal is None


def test_roots_in_another_order_give_the_same_list(tmp_path: Path) -> None:
    roots = [tmp_path / f"light-oauth2-data-{1719592986 + n}" for n in (3, 1, 2)]
    for root in roots:
        write_log(root / "correct", line())
    assert find_logs(roots) == find_logs(roots[::-1])


def test_sources_are_distinct_also_for_roots_of_one_name(tmp_path: Path) -> None:
    for parent, run in (("a", "run_1"), ("b", "run_2")):
        write_log(tmp_path / parent / "logs" / run / "correct", line())
        write_log(tmp_path / parent / "logs", "noise", name="locust.log")
    sources = [file.source for file in find_logs([tmp_path / "a" / "logs", tmp_path / "b" / "logs"])]
    assert sources == [
        f"logs/run_1/correct/{LOG}",
        f"logs (2)/run_2/correct/{LOG}",
        "logs (2)/locust.log",
        "logs/locust.log",
    ]


def test_linked_run_folders_are_read_once_and_circles_end(tmp_path: Path) -> None:
    write_log(tmp_path / "real" / "run_1" / "correct", line())
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "run_1").symlink_to(tmp_path / "real" / "run_1")
    (tmp_path / "real" / "run_1" / "again").symlink_to(tmp_path / "root")
    assert [file.run for file in find_logs([tmp_path / "root"])] == ["run_1"]


def test_a_folder_without_a_log_says_what_was_looked_for_and_found(tmp_path: Path) -> None:
    for name in ("locust.log", "notes.txt"):
        write_log(tmp_path, "x", name=name)
    with pytest.raises(
        InputError, match=r"oauth2-client-1\.log .*refresh-token.*found 2 files \(locust.log, notes.txt\)"
    ):
        find_logs([tmp_path])


def test_a_look_into_a_folder_of_very_many_other_files_ends_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layouts, "_MANY", 200)
    (tmp_path / "a.log").touch()
    for number in range(200):
        (tmp_path / f"{number}.txt").touch()
    with pytest.raises(InputError, match=r"hardly any logs\. Give the folder that contains the runs"):
        find_logs([tmp_path])


def test_an_empty_folder_says_that_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found no file"):
        find_logs([tmp_path])


def test_a_missing_root_and_a_foreign_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere does not exist"):
        find_logs([tmp_path / "nowhere"])
    path = write_log(tmp_path, "x", name="notes.txt")
    with pytest.raises(InputError, match=r"notes.txt is not a log.*\.log"):
        find_logs([path])


def test_two_files_of_one_sequence_are_refused(tmp_path: Path) -> None:
    for parent in ("a", "b"):
        write_log(tmp_path / parent / "run_1" / "correct", line())
    with pytest.raises(InputError, match="belong to the same sequence"):
        find_logs([tmp_path])


def test_flattened_test_cases_of_several_folders_are_told_apart_where_they_must_be(tmp_path: Path) -> None:
    for folder in ("mon/correct_1", "mon/correct_2", "tue/correct_1"):
        write_log(tmp_path / "days" / folder, line())
    assert [file.run for file in find_logs([tmp_path])] == ["mon_run_1", "mon_run_2", "tue_run_1"]
    for folder in ("normal/correct_1", "faulty/get_token_404_1"):
        write_log(tmp_path / "kinds" / folder, line())
    assert {file.run for file in find_logs([tmp_path / "kinds"])} == {"run_1"}


def test_names_that_would_make_one_seq_id_are_refused(tmp_path: Path) -> None:
    write_log(tmp_path / "a" / "b__c", line())
    write_log(tmp_path / "a__b" / "c", line())
    with pytest.raises(InputError, match="belong to the same sequence"):
        find_logs([tmp_path])


@pytest.mark.parametrize("folder", ["with space", 'it\'s "quoted"', "a__b", "ärger-日志", "per%cent", "new\nline"])
def test_odd_folder_names_are_kept(tmp_path: Path, folder: str) -> None:
    write_log(tmp_path / "run_1" / folder, line())
    assert find_logs([tmp_path])[0].folder == folder


def test_folder_names_that_are_not_utf8_become_text(tmp_path: Path) -> None:
    write_log(tmp_path / "run_1" / b"caf\xe9".decode("utf-8", "surrogateescape"), line())
    (file,) = find_logs([tmp_path])
    assert file.folder == "caf\\udce9"
    assert file.source.encode()


def test_numbers_in_names_sort_by_value() -> None:
    assert sorted(["correct_10", "correct_2", "correct"], key=natural) == ["correct", "correct_2", "correct_10"]
