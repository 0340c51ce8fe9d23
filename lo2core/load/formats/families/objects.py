"""Logs whose lines are objects."""

from __future__ import annotations

from lo2core.load.formats.format import Format, example
from lo2core.load.formats.objects import PATTERNS

OBJECTS = (
    Format(
        "json lines",
        PATTERNS["json"],
        (
            example(
                '{"@timestamp":"2024-06-28T16:40:52.234Z","log.level":"ERROR","message":"payment refused",'
                '"log.logger":"shop.Cart","process.thread.name":"main","trace.id":"6f1e","http.status":402}',
                at="2024-06-28 16:40:52.234",
                level="ERROR",
                logger="shop.Cart",
                thread="main",
                correlation_id="6f1e",
                message="payment refused http.status=402",
            ),
            example(
                '{"level":30,"time":1719592852234,"pid":7,"hostname":"shop1","name":"cart","msg":"added"}',
                at="2024-06-28 16:40:52.234",
                level="INFO",
                logger="cart",
                message="added",
            ),
            example(
                '{"level":"warn","ts":1719592852.234567,"logger":"cart","caller":"api/cart.go:31","msg":"low stock"}',
                at="2024-06-28 16:40:52.234",
                level="WARN",
                logger="cart",
                message="low stock",
            ),
            example(
                '{"timestamp":"2024-06-28T16:40:52.234Z","level":"INFO","fields":{"message":"added","items":3},'
                '"target":"cart::api"}',
                at="2024-06-28 16:40:52.234",
                level="INFO",
                logger="cart::api",
                message="added items=3",
            ),
            example(
                '{"@t":"2024-06-28T16:40:52.234Z","@mt":"Paid {Order}","@l":"Error","Order":17}',
                at="2024-06-28 16:40:52.234",
                level="ERROR",
                message="Paid {Order} Order=17",
            ),
            example(
                '{"@t":"2024-06-28T16:40:52.234Z","@mt":"Paid {Order}","Order":17}',
                at="2024-06-28 16:40:52.234",
                level="INFO",
                message="Paid {Order} Order=17",
            ),
        ),
        objects="json",
    ),
    Format(
        "logfmt",
        PATTERNS["logfmt"],
        (
            example(
                'time="2024-06-28T16:40:52Z" level=warning msg="low stock" item=7',
                at="2024-06-28 16:40:52.000",
                level="WARNING",
                message="low stock item=7",
            ),
        ),
        objects="logfmt",
    ),
)
