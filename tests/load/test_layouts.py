"""Where logs are found and what they are called, in every layout of the data's description."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from helpers.loglines import line, write_log

from lo2core.base.errors import InputError
from lo2core.load import walk
from lo2core.load.layouts import find_logs
from lo2core.load.log_file import LogFile, natural
from lo2core.load.names import lo2_service, split_repetition
from lo2core.load.plan import LoadOptions, plan
from lo2core.load.template import Template

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
    assert lo2_service(file_name) == service


@pytest.mark.parametrize(
    ("known", "name", "service"),
    [
        ("light-oauth2-oauth2-client-1.log", "light-oauth2-oauth2-token2-1.log", "token2"),
        ("light-oauth2-oauth2-client-1.log", "oauth2-authz-1.log", "authz"),
        ("light-oauth2-oauth2-client-1.log", "light-oauth2-oauth2-audit-log-2.log.gz", "audit-log-2"),
        ("oauth2-client.log", "oauth2-tokenizer.log", "tokenizer"),
        ("light-oauth2-oauth2-client-1.log", "light-oauth2-mysqldb-1.log", None),
        ("light-oauth2-oauth2-client-1.log", "audit-1.log", None),
        ("light-oauth2-oauth2-client-1.log", "locust.log", None),
    ],
)
def test_a_service_that_lo2_does_not_have_is_read_or_named(
    tmp_path: Path, known: str, name: str, service: str | None
) -> None:
    for log in (known, name):
        write_log(tmp_path / "run_1" / "correct", line(), name=log)
    found = plan([tmp_path])
    assert {file.service for file in found.chosen} == {"client", service} - {None}
    assert ("1 other file ignored, the log " + name in found.sentence()) == (service is None)


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
        ("some_case_500", ("some_case_500", None)),
        ("some_case_204", ("some_case_204", None)),
        ("some_case_150", ("some_case", 150)),
        ("get_token_page_400_no_page_503", ("get_token_page_400_no_page", 503)),
        ("Correct", ("correct", None)),
        ("correct 2", ("correct", 2)),
        ("correct (1)", ("correct", 1)),
        ("correct - Copy", ("correct", None)),
        ("correct - Copy (2)", ("correct", 2)),
        ("CORRECT_3", ("correct", 3)),
        ("correctness", ("correctness", None)),
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


@pytest.mark.parametrize("to", ["/", "..", "../..", "run_1/.."])
def test_a_link_to_a_folder_around_the_logs_is_not_followed(tmp_path: Path, to: str) -> None:
    root = tmp_path / "here" / "root"
    write_log(root / "run_1" / "correct", line())
    write_log(tmp_path / "here" / "other" / "run_2" / "correct", line())
    for folder in (root, root / "run_1", root / "run_1" / "correct"):
        (folder / "a_link").symlink_to(to)
    assert [file.run for file in find_logs([root])] == ["run_1"]


def test_a_link_that_leads_to_many_other_files_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "_MANY", 50)
    write_log(tmp_path / "root" / "run_1" / "correct", line())
    for number in range(120):
        write_log(tmp_path / "elsewhere", "x", name=f"{number}.txt")
    link = tmp_path / "root" / "run_1" / "more"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=f"hardly any logs. Remove the link {link}, which leads to .*elsewhere"):
        find_logs([tmp_path / "root"])


def test_a_folder_without_a_log_says_what_was_looked_for_and_found(tmp_path: Path) -> None:
    for name in ("locust.csv", "notes.pdf"):
        write_log(tmp_path, "x", name=name)
    with pytest.raises(InputError, match=r"oauth2-client-1\.log, found 2 files \(locust.csv, notes.pdf\)"):
        find_logs([tmp_path])


def test_a_look_into_a_folder_of_very_many_other_files_ends_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "_MANY", 200)
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
    path = write_log(tmp_path, "x", name="notes.png")
    with pytest.raises(InputError, match=r"notes.png is not a log.*\.log"):
        find_logs([path])


def test_two_copies_of_a_run_with_its_start_in_its_name_are_refused(tmp_path: Path) -> None:
    for parent in ("a", "b"):
        write_log(tmp_path / parent / "LO2_run_1719592986" / "correct", line())
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


@pytest.mark.parametrize(
    ("file_name", "service"),
    [
        ("payment-1.log", "payment"),
        ("payment-2.log", "payment-2"),
        ("cart.log", "cart"),
        ("shop_cart_1.log", "cart"),
        ("payment-7d9f8b6c5d-x2x7z.log", "payment"),
        (f"payment-7d9f8b6c5d-x2x7z_shop_payment-{'0f' * 32}.log", "payment"),
        ("payment-2024-06-28.log", "payment"),
        ("payment.log.3.gz", "payment"),
        ("payment.jsonl", "payment"),
        ("s3.log", "s3"),
    ],
)
def test_logs_of_other_services_are_named_by_their_files(tmp_path: Path, file_name: str, service: str) -> None:
    write_log(tmp_path / "run_1" / "pay_404", line(), name=file_name)
    write_log(tmp_path / "run_1" / "correct", line(), name=file_name)
    assert [names(file)[1:] for file in find_logs([tmp_path])] == [
        ("correct", "correct", None, service, True),
        ("pay_404", "pay_404", None, service, False),
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("monday/correct/cart/app.log", ("monday", "correct", "cart", True)),
        ("correct/cart/server.log", ("root", "correct", "cart", True)),
        ("cart/app.log", ("root", "root", "cart", None)),
        ("correct/app.log", ("root", "correct", "app", True)),
    ],
)
def test_a_log_with_a_name_that_says_nothing_is_named_by_its_folder(
    tmp_path: Path, path: str, expected: tuple[str, str, str, bool | None]
) -> None:
    write_log((tmp_path / "root" / path).parent, line(), name=Path(path).name)
    (file,) = find_logs([tmp_path / "root"])
    assert (file.run, file.folder, file.service, file.normal) == expected


def test_rotated_pieces_are_one_log_in_the_order_of_time(tmp_path: Path) -> None:
    folder = tmp_path / "run_1" / "correct"
    for name in (LOG, f"{LOG}.1", f"{LOG}.2.gz", f"{LOG}.10", "oauth2-token-2024-06-27.log", "oauth2-token.log"):
        write_log(folder, line(), name=name)
    client, token = find_logs([tmp_path])
    assert [path.name for path in (*client.older, client.path)] == [f"{LOG}.10", f"{LOG}.2.gz", f"{LOG}.1", LOG]
    assert [path.name for path in (*token.older, token.path)] == ["oauth2-token-2024-06-27.log", "oauth2-token.log"]
    assert client.bytes == 4 * len(line())


def test_names_are_compared_in_one_unicode_form(tmp_path: Path) -> None:
    for run, folder in (("run_1", "caf\u00e9_404"), ("run_2", "cafe\u0301_404")):
        write_log(tmp_path / run / folder, line())
    assert {file.test_case for file in find_logs([tmp_path])} == {"caf\u00e9_404"}


def test_a_layout_is_described_by_a_template(tmp_path: Path) -> None:
    write_log(tmp_path / "2024" / "week 26", line(), name="cart@pay_404.log.gz")
    write_log(tmp_path / "2024" / "week 26", line(), name="notes.log")
    file, other = find_logs([tmp_path], template=Template("{run}/{service}@{test_case}.log"))
    assert names(file) == ("week 26", "pay_404", "pay_404", None, "cart", False)
    assert other.service is None
    with pytest.raises(InputError, match=r"is named as the layout \{service\}/x.log: found 2 files"):
        find_logs([tmp_path], template=Template("{service}/x.log"))


@pytest.mark.parametrize("text", ["{run}/app.log", "{service}/{service}.log", "{service}/{day}.log", ""])
def test_a_template_that_cannot_work_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"it needs \{service\}"):
        Template(text)


@pytest.mark.parametrize(
    ("logs", "services"),
    [
        (["shop-cart-1.log", "shop-payment-1.log", "shop-payment-2.log"], ["cart", "payment", "payment-2"]),
        (["shop_cart_1.log", "shop_payment_1.log"], ["cart", "payment"]),
        (["user_service_1.log", "order_service_1.log"], ["order_service", "user_service"]),
        (["redis-0.log", "redis-1.log"], ["redis", "redis-2"]),
        (["cart-7d9f8b6c5d-x2x7z.log", "cart-7d9f8b6c5d-k4k4z.log"], ["cart", "cart-2"]),
        (["fluentd-x2x7z.log", "web-https.log"], ["fluentd", "web-https"]),
        (["cart/logs/app.log", "web/logs/app.log"], ["cart", "web"]),
        (["cart.log", "cart.err"], ["cart", "cart-err"]),
    ],
)
def test_names_of_containers_are_understood_together(tmp_path: Path, logs: list[str], services: list[str]) -> None:
    for name in logs:
        write_log(tmp_path / "run_1" / "correct", line(), name=name)
    assert sorted(str(file.service) for file in find_logs([tmp_path])) == services


@pytest.mark.parametrize(
    "copy",
    ["Copy of correct", "correct - Copy (2)", "correct (3rd copy)", "correct - Kopie", "correct.bak", "correct2"],
)
def test_copies_of_the_normal_test_case_are_normal_and_what_begins_like_it_is_unknown(
    tmp_path: Path, copy: str
) -> None:
    for folder in ("correct", copy, "correct-v2", "pay_503"):
        write_log(tmp_path / "run_1" / folder, line(), name="cart.log")
    labels = {file.folder: file.normal for file in find_logs([tmp_path])}
    assert labels == {"correct": True, copy: True, "correct-v2": None, "pay_503": False}


def test_a_pattern_of_normal_test_cases_that_none_has_is_refused_unless_more_logs_follow(tmp_path: Path) -> None:
    for folder in ("baseline_1", "baseline_2", "café", "pay_503"):
        write_log(tmp_path / "run_1" / folder, line(), name="cart.log")
    with pytest.raises(InputError, match=r"'basline\*', given as normal. Valid names: baseline, .*Did you mean"):
        plan([tmp_path], LoadOptions(normal=("pay*", "basline*")))
    decomposed = LoadOptions(normal=("cafe\u0301", "baseline_2"))
    assert [file.normal for file in plan([tmp_path], decomposed).chosen] == [False, True, True, False]
    growing = plan([tmp_path], LoadOptions(normal=("basline*",)), growing=True)
    assert {file.normal for file in growing.chosen} == {False}


def test_several_logs_of_one_given_service_are_test_cases_of_their_own(tmp_path: Path) -> None:
    paths = [write_log(tmp_path, line(), name=name) for name in ("monday.log", "tuesday.log")]
    found = find_logs(paths, "payment")
    assert [(file.folder, file.service) for file in found] == [("monday", "payment"), ("tuesday", "payment")]


@pytest.mark.parametrize(
    ("names", "root", "services"),
    [
        (["syslog", "syslog.1", "access_log", "README"], ".", ["access_log", "syslog"]),
        (["cart.txt", "web.json", "web.json.1"], ".", ["cart", "web"]),
        (["cart.log", "notes.txt", "metrics.json"], ".", ["cart"]),
        (["mystery"], "mystery", ["mystery"]),
        (["cart.txt"], "cart.txt", ["cart"]),
    ],
)
def test_other_names_are_logs_where_no_file_is_named_as_one(
    tmp_path: Path, names: list[str], root: str, services: list[str]
) -> None:
    for name in names:
        write_log(tmp_path, line(), name=name)
    assert sorted(file.service for file in find_logs([tmp_path / root]) if file.service) == services


def test_files_of_a_hidden_folder_are_not_taken_for_logs(tmp_path: Path) -> None:
    (tmp_path / ".job").mkdir()
    (tmp_path / ".job" / "job.json").write_text("{}")
    with pytest.raises(InputError, match="No log in"):
        find_logs([tmp_path])
    (tmp_path / "app.txt").write_text("2026-11-28 10:00:00 INFO started\n")
    assert [file.path.name for file in find_logs([tmp_path]) if file.service] == ["app.txt"]


POD_ID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("run-1/payment.log", ("run-1", "run-1", "payment", None)),
        ("run_1/payment.log", ("run_1", "run_1", "payment", None)),
        ("LO2_run_1719592986/oauth2-client-1.log", ("LO2_run_1719592986", "LO2_run_1719592986", "client", None)),
        ("run-1/app.log", ("run-1", "run-1", "app", None)),
        ("run-1/logs/payment.log", ("run-1", "run-1", "payment", None)),
        ("run-1/payment/app.log", ("run-1", "run-1", "payment", None)),
        ("run-1/payment-2/payment.log", ("run-1", "run-1", "payment-2", None)),
        ("run-1/correct/logs/payment.log", ("run-1", "correct", "payment", True)),
        ("run-1/correct/logs/oauth2-client-1.log", ("run-1", "correct", "client", True)),
        ("run-1/correct/payment/payment.log", ("run-1", "correct", "payment", True)),
        ("run-1/correct/payment/logs/app.log", ("run-1", "correct", "payment", True)),
        ("run-1/phase/correct/payment.log", ("run-1", "correct", "payment", True)),
        ("correct/logs/payment.log", ("root", "correct", "payment", True)),
        ("correct/payment/payment.log", ("root", "correct", "payment", True)),
        ("payment/payment.log", ("root", "root", "payment", None)),
        ("payment/logs/app.log", ("root", "root", "payment", None)),
        ("logs/payment.log", ("root", "root", "payment", None)),
        ("correct/run-1/payment.log", ("run-1", "correct", "payment", True)),
        ("pay_404/run-1/payment.log", ("run-1", "pay_404", "payment", False)),
        ("correct/2/payment.log", ("root", "correct_2", "payment", True)),
        ("run-1/pay_404/2/payment.log", ("run-1", "pay_404_2", "payment", False)),
        ("payment/2024-06-28.log", ("root", "root", "payment", None)),
        (f"shop_payment-7d9f8b6c5d-x2x7z_{POD_ID}/payment/0.log", ("root", "root", "payment", None)),
        ("payment.log", ("root", "root", "payment", None)),
    ],
)
def test_runs_and_services_are_found_at_other_depths(
    tmp_path: Path, path: str, expected: tuple[str, str, str, bool | None]
) -> None:
    write_log((tmp_path / "root" / path).parent, line(), name=Path(path).name)
    (file,) = find_logs([tmp_path / "root"])
    assert (file.run, file.folder, file.service, file.normal) == expected


@pytest.mark.parametrize(
    ("paths", "runs"),
    [
        (("run-1/a/correct", "run-1/b/correct"), ["run-1_a", "run-1_b"]),
        (("a/logs/monday/correct", "b/monday/correct"), ["b_monday", "logs_monday"]),
        (("prod/run-1", "staging/run-1"), ["prod_run-1", "staging_run-1"]),
        (("host1/run-1/correct", "host2/run-1/correct"), ["host1_run-1", "host2_run-1"]),
        (("eu/a/run-1/correct", "us/a/run-1/correct"), ["eu_run-1", "us_run-1"]),
        (("run-1", "prod/run-1"), ["prod_run-1", "run-1"]),
        (("clusterA/shop/kafka-0", "clusterB/shop/kafka-0"), ["clusterA_shop", "clusterB_shop"]),
    ],
)
def test_test_cases_of_one_name_at_other_depths_are_told_apart(
    tmp_path: Path, paths: tuple[str, str], runs: list[str]
) -> None:
    for path in paths:
        write_log(tmp_path / "root" / path, line(), name="payment.log")
    assert [file.run for file in find_logs([tmp_path / "root"])] == runs
    roots = [tmp_path / "root" / path for path in paths]
    assert len({file.run for file in find_logs(roots)}) == 2


def test_all_runs_are_named_alike_where_some_must_be_told_apart(tmp_path: Path) -> None:
    for folder in ("prod/run-1", "prod/run-2", "eu/test/run-1", "us/test/run-1", "LO2_run_1719592986/correct"):
        write_log(tmp_path / folder, line(), name="payment.log")
    runs = {str(file.run) for file in find_logs([tmp_path])}
    assert runs == {"LO2_run_1719592986", "prod_run-1", "prod_run-2", "eu_test_run-1", "us_test_run-1"}


def test_logs_that_are_only_called_by_their_dates_are_pieces_of_one(tmp_path: Path) -> None:
    for day in (29, 27, 28):
        write_log(tmp_path / "payment", line(str(day)), name=f"2024-06-{day}.log")
    (file,) = find_logs([tmp_path])
    assert [path.name for path in (*file.older, file.path)] == [f"2024-06-{day}.log" for day in (27, 28, 29)]


def test_a_log_beside_a_run_is_not_labelled(tmp_path: Path) -> None:
    write_log(tmp_path / "run-1", line(), name="gateway.log")
    write_log(tmp_path / "run-1" / "correct", line(), name="payment.log")
    assert [names(file) for file in find_logs([tmp_path])] == [
        ("run-1", "correct", "correct", None, "payment", True),
        ("run-1", "run-1", "run-1", None, "gateway", None),
    ]
