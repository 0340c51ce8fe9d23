"""One file with the lines of several containers becomes several services."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from helpers.loglines import write_log

from lo2core import LO2Loader, LoadOptions
from lo2core.load.containers import services
from lo2core.load.layouts import find_logs

COMPOSE = (
    "Attaching to cart-1, web-1\n"
    "cart-1  | 2024-06-28 16:40:52.234  INFO 7 --- [main] c.e.Cart : added\n"
    '\x1b[36mweb-1   |\x1b[0m {"time":"2024-06-28T16:40:52Z","level":"warn","msg":"low"}\n'
    "cart-1  | 2024-06-28 16:40:53.234 ERROR 7 --- [main] c.e.Cart : no\n"
    "cart-1  | java.lang.IllegalStateException: no\n"
    "cart-1  | \tat a.B.c(B.java:7)\n"
    '\x1b[36mweb-1   |\x1b[0m {"time":"2024-06-28T16:40:54Z","level":"warn","msg":"low"}\n'
) + "cart-1  | 2024-06-28 16:40:55.234  INFO 7 --- [main] c.e.Cart : added\n" * 20


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_each_container_is_a_service_and_every_line_is_accounted_for(tmp_path: Path, encoding: str) -> None:
    for folder in ("correct", "pay_503"):
        write_log(tmp_path / "run_1" / folder, COMPOSE.encode(encoding), name="all.log")
    loader = LO2Loader(tmp_path)
    events = loader.execute()
    counted = events.group_by("test_case", "service", maintain_order=True).len().rows()
    assert sorted(counted) == [
        (case, name, n) for case in ("correct", "pay_503") for name, n in (("cart", 22), ("web", 2))
    ]
    assert loader.ledger["lines"].sum() == 2 * COMPOSE.count("\n")
    assert events.filter(n_lines=3)["m_message"].str.split("\n").list.first().to_list() == ["no", "no"]


def test_what_compose_prints_without_a_name_does_not_hide_the_containers(tmp_path: Path) -> None:
    lines = ("cart-1  | 2024-06-28T16:40:52Z INFO one", "web-1   | 2024-06-28T16:40:53Z INFO two")
    text = "\n".join(("Attaching to cart-1, web-1", *lines, "web-1 exited with code 137"))
    write_log(tmp_path / "run_1" / "correct", f"{text}\n", name="all.log")
    loader = LO2Loader(tmp_path)
    assert loader.execute().sort("service").select("service", "level", "n_lines").rows() == [
        ("cart", "INFO", 1),
        ("web", "INFO", 2),
    ]
    assert loader.ledger["lines"].sum() == 4


def test_services_can_be_chosen_and_the_others_are_listed(tmp_path: Path) -> None:
    write_log(tmp_path / "run_1" / "correct", COMPOSE, name="all.log")
    loader = LO2Loader(tmp_path, options=LoadOptions(services=("web",)))
    assert loader.execute()["service"].unique().to_list() == ["web"]
    assert loader.ledger.sort("source").select("service", "status").rows() == [("cart", "not chosen"), ("web", "read")]


def test_each_dyno_of_heroku_is_a_service_and_so_is_the_router(tmp_path: Path) -> None:
    text = "".join(
        f"2024-06-28T16:40:{n:02}.5+00:00 {source}\n"
        for n in range(4)
        for source in (
            'heroku[router]: at=error code=H12 method=GET path="/" request_id=6f1e dyno=web.1 status=503',
            "app[web.1]: [2024-06-28 16:40:52 +0000] [7] [INFO] GET /cart",
            "app[web.2]: [2024-06-28 16:40:52 +0000] [7] [INFO] GET /cart",
            "app[worker.1]: ERROR job failed",
            "heroku[worker.1]: State changed from up to crashed",
        )
    )
    write_log(tmp_path, text, name="heroku.log")
    events = LO2Loader(tmp_path).execute().group_by("service", "level").len().sort("service", "level")
    crashes, failures = ("worker", None, 4), ("worker", "ERROR", 4)
    assert events.rows() == [("router", "ERROR", 4), ("web", "INFO", 4), ("web-2", "INFO", 4), crashes, failures]


def test_pods_with_several_containers_have_their_names() -> None:
    pods = ("cart-7d9f8b6c5d-x2x7z", "cart-7d9f8b6c5d-k4k4z")
    named = services([f"{pods[0]}/cart", f"{pods[0]}/proxy", f"{pods[1]}/cart", "web-6b7c9d8f5c-zz9xq/main"])
    assert list(named.values()) == ["cart", "cart-2", "cart-proxy", "web"]


def test_a_log_with_bars_is_no_log_of_containers(tmp_path: Path) -> None:
    text = "INFO | paid\nERROR | refused\n" * 9
    write_log(tmp_path / "run_1" / "correct", text, name="cart.log")
    loader = LO2Loader(tmp_path)
    assert loader.execute()["service"].unique().to_list() == ["cart"]


def test_a_log_of_a_service_keeps_its_name_beside_one_of_containers(tmp_path: Path) -> None:
    folder = tmp_path / "run_1" / "correct"
    write_log(folder, COMPOSE, name="compose.log")
    write_log(folder, "2024-06-28 16:40:52 INFO added\n", name="cart.log")
    files = find_logs([tmp_path])
    assert {file.service: file.source.rpartition("/")[2] for file in files} == {
        "cart": "cart.log",
        "cart-compose": "compose.log [cart-1]",
        "web": "compose.log [web-1]",
    }


SPRING = "2024-06-28 16:40:52.234  INFO 7 --- [main] c.e.Cart : added"
PODS = ("cart-7d9f8b6c5d-x2x7z", "web-6b7c9d8f5c-zz9xq")
NANOSECONDS = "1719592852234000000"
TIME = "2024-06-28T16:40:52.234567891Z"


def entry(pod: str, **fields: object) -> dict[str, object]:
    return {"kubernetes": {"pod_name": pod, "container_name": pod[:-17]}, **fields}


FLUENT_BIT = [entry(pod, date=1719592852.234, log=SPRING, stream="stdout") for pod in PODS]
GOOGLE = [
    {
        "insertId": "1f",
        "resource": {"type": "k8s_container", "labels": {"pod_name": pod, "container_name": pod[:-17]}},
        "severity": "INFO",
        "textPayload": SPRING,
        "timestamp": TIME,
    }
    for pod in PODS
]
LOKI = [{"labels": {"app": pod[:-17]}, "line": SPRING, "timestamp": TIME} for pod in PODS]
OTLP = {
    "resourceLogs": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": pod[:-17]}}]},
            "scopeLogs": [
                {
                    "scope": {"name": "c.e.Cart"},
                    "logRecords": [
                        {
                            "timeUnixNano": NANOSECONDS,
                            "severityNumber": 9,
                            "body": {"stringValue": "added"},
                            "attributes": [{"key": "items", "value": {"intValue": "3"}}],
                        }
                    ],
                }
            ],
        }
        for pod in PODS
    ]
}
MINIKUBE = "\n==> cart [5d1f0a] <==\n{0}\n{0}\n\n==> web <==\n{0}\n"


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"{pod} {pod[:-17]} {SPRING}\n" for pod in PODS),
        "".join(f"{pod} {pod[:-17]} {TIME} {SPRING}\n" for pod in PODS),
        "".join(f"shop {pod} {pod[:-17]} {SPRING}\n" for pod in PODS),
        "".join(f"{name}-0 {name} {SPRING}\n" for name in ("cart", "web")),
        "".join(f"[pod/{pod}/{pod[:-17]}] {TIME} {SPRING}\n" for pod in PODS),
        "".join(f"{name}-1  | {TIME} {SPRING}\n" for name in ("cart", "web")),
        "".join(json.dumps(one) + "\n" for one in FLUENT_BIT),
        json.dumps(FLUENT_BIT, indent=2),
        json.dumps(GOOGLE, indent=2),
        "".join(json.dumps(one) + "\n" for one in LOKI),
        json.dumps(
            {"data": {"result": [{"stream": one["labels"], "values": [[NANOSECONDS, SPRING]]} for one in LOKI]}}
        ),
        json.dumps(OTLP) + "\n" + json.dumps(OTLP) + "\n",
        json.dumps(OTLP, indent=1),
        MINIKUBE.format(SPRING),
        MINIKUBE.replace("\n", "\n* ").removesuffix("* ").format(SPRING),
        f"==> /var/log/cart.log <==\n{SPRING}\n\n==> /var/log/web.log <==\n{SPRING}\n",
    ],
)
def test_lines_of_several_containers_are_separated_as_many_tools_print_them(tmp_path: Path, text: str) -> None:
    write_log(tmp_path / "correct", text, name="all.log")
    events = LO2Loader(tmp_path).execute()
    facts = events.select("service", "level", "logger", message=pl.col("m_message").str.extract("^(added)")).unique()
    assert sorted(facts.rows()) == [(name, "INFO", "c.e.Cart", "added") for name in ("cart", "web")]
    assert events["m_timestamp"].unique().to_list() == [datetime(2024, 6, 28, 16, 40, 52, 234_000)]
