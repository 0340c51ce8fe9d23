"""One file with the lines of several containers becomes several services."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.loglines import write_log

from lo2core import LO2Loader, LoadOptions
from lo2core.load.containers import services

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


def test_services_can_be_chosen_and_the_others_are_listed(tmp_path: Path) -> None:
    write_log(tmp_path / "run_1" / "correct", COMPOSE, name="all.log")
    loader = LO2Loader(tmp_path, options=LoadOptions(services=("web",)))
    assert loader.execute()["service"].unique().to_list() == ["web"]
    assert loader.ledger.sort("source").select("service", "status").rows() == [("cart", "not chosen"), ("web", "read")]


def test_pods_with_several_containers_have_their_names() -> None:
    pods = ("cart-7d9f8b6c5d-x2x7z", "cart-7d9f8b6c5d-k4k4z")
    named = services([f"{pods[0]}/cart", f"{pods[0]}/proxy", f"{pods[1]}/cart", "web-6b7c9d8f5c-zz9xq/main"])
    assert list(named.values()) == ["cart", "cart-2", "cart-proxy", "web"]


def test_a_log_with_bars_is_no_log_of_containers(tmp_path: Path) -> None:
    text = "INFO | paid\nERROR | refused\n" * 9
    write_log(tmp_path / "run_1" / "correct", text, name="cart.log")
    loader = LO2Loader(tmp_path)
    assert loader.execute()["service"].unique().to_list() == ["cart"]
