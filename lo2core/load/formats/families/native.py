"""Logs of programs in Go, Rust and .NET."""

from __future__ import annotations

from lo2core.load.formats.format import Format, example

GO = (
    Format(
        "klog",
        r"^{letter}(?P<date>(?:[0-9]{4})?[0-9]{4}) (?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}) +(?P<thread>[0-9]+) "
        r"(?P<logger>[\w./-]+):[0-9]+\] {message}",
        (
            example(
                "E0628 16:40:52.234567       1 controller.go:114] failed to sync pod",
                at="06-28 16:40:52.234",
                level="ERROR",
                thread="1",
                logger="controller.go",
                message="failed to sync pod",
            ),
        ),
    ),
    Format(
        "zap",
        r"^{stamp}\t{level}\t(?:(?P<logger>[\w.-]+)\t)?(?:[\w./-]+\.go:[0-9]+\t)?{message}",
        (
            example(
                '2024-06-28T16:40:52.234Z\tINFO\tcart\tapi/cart.go:31\tadded\t{"items": 3}',
                at="2024-06-28 16:40:52.234",
                level="INFO",
                logger="cart",
                message='added\t{"items": 3}',
            ),
        ),
    ),
    Format(
        "hclog",
        r"^{stamp} \[{level}\] +(?P<logger>[\w.-]+): {message}",
        (
            example(
                "2024-06-28T16:40:52.234Z [WARN]  agent.server: no leader",
                at="2024-06-28 16:40:52.234",
                level="WARN",
                logger="agent.server",
                message="no leader",
            ),
        ),
    ),
    Format(
        "logrus on a terminal",
        r"^(?P<level>TRAC|DEBU|INFO|WARN|ERRO|FATA|PANI)\[(?:[0-9]{4,}|{stamp})\] ?{message}",
        (
            example(
                "WARN[2024-06-28T16:40:52Z] low stock                     item=7",
                at="2024-06-28 16:40:52.000",
                level="WARN",
                message="low stock                     item=7",
            ),
        ),
    ),
    Format(
        "zerolog console",
        r"^{when} (?P<level>TRC|DBG|INF|WRN|ERR|FTL|PNC) {message}",
        (
            example(
                "2024-06-28T16:40:52Z INF order paid order=17",
                at="2024-06-28 16:40:52.000",
                level="INFO",
                message="order paid order=17",
            ),
        ),
    ),
    Format(
        "gin",
        r"^\[GIN\] {stamp} \| {message}",
        (
            example(
                '[GIN] 2024/06/28 - 16:40:52 | 200 |    1.234ms |    10.0.0.7 | GET      "/cart"',
                at="2024-06-28 16:40:52.000",
                message='200 |    1.234ms |    10.0.0.7 | GET      "/cart"',
            ),
        ),
    ),
    Format(
        "nats",
        r"^\[(?P<thread>[0-9]+)\] {stamp} \[{level}\] {message}",
        (
            example(
                "[7] 2024/06/28 16:40:52.234567 [INF] Server is ready",
                thread="7",
                at="2024-06-28 16:40:52.234",
                level="INFO",
                message="Server is ready",
            ),
        ),
    ),
    Format(
        "zerolog console with short time",
        r"^(?P<time>[0-9]{1,2}:[0-9]{2}[AP]M) (?P<level>TRC|DBG|INF|WRN|ERR|FTL|PNC) {message}",
        (
            example(
                "4:40PM INF order paid order=17",
                clock="16:40:00.000",
                level="INFO",
                message="order paid order=17",
            ),
        ),
    ),
    Format(
        "telegraf",
        r"^{stamp} (?P<level>[DIWE])! (?:\[(?P<logger>[\w.:]+)\] )?{message}",
        (
            example(
                "2024-06-28T16:40:52Z E! [outputs.kafka] connection refused",
                at="2024-06-28 16:40:52.000",
                level="ERROR",
                logger="outputs.kafka",
                message="connection refused",
            ),
        ),
    ),
    Format(
        "capnslog",
        r"^{stamp} {letter} \| (?P<logger>[\w./-]+): {message}",
        (
            example(
                "2024-06-28 16:40:52.234567 W | etcdserver: request took too long",
                at="2024-06-28 16:40:52.234",
                level="WARN",
                logger="etcdserver",
                message="request took too long",
            ),
        ),
    ),
    Format(
        "cockroachdb",
        r"^{letter}(?P<date>[0-9]{6}) (?P<time>[0-9:.]{15}) (?P<thread>[0-9]+) (?P<logger>[\w./@-]+):[0-9]+ "
        r"(?:⋮ )?{message}",
        (
            example(
                "I240628 16:40:52.234567 1 util/log/clog.go:21 ⋮ [n1] node started",
                level="INFO",
                at="2024-06-28 16:40:52.234",
                thread="1",
                logger="util/log/clog.go",
                message="[n1] node started",
            ),
        ),
    ),
)

RUST_AND_NET = (
    Format(
        "rust tracing",
        r"^{stamp} +(?P<level>TRACE|DEBUG|INFO|WARN|ERROR) (?:(?P<thread>ThreadId\([0-9]+\)) )?"
        r"(?:[\w.-]+\{[^}]*\}:)*(?: )?(?P<logger>\w+(?:::\w+)*): {message}",
        (
            example(
                "2024-06-28T16:40:52.234567Z  INFO request{id=7}: cart::api: added items=3",
                at="2024-06-28 16:40:52.234",
                level="INFO",
                logger="cart::api",
                message="added items=3",
            ),
        ),
    ),
    Format(
        "env_logger",
        r"^\[(?:{stamp} )?(?P<level>TRACE|DEBUG|INFO|WARN|ERROR) +(?P<logger>\w+(?:::\w+)*)\] {message}",
        (
            example(
                "[2024-06-28T16:40:52Z WARN  cart::api] low stock",
                at="2024-06-28 16:40:52.000",
                level="WARN",
                logger="cart::api",
                message="low stock",
            ),
        ),
    ),
    Format(
        "serilog",
        r"^\[?{when} \[?(?P<level>VRB|DBG|INF|WRN|ERR|FTL)\] {message}",
        (
            example(
                "2024-06-28 16:40:52.234 +02:00 [ERR] payment refused",
                at="2024-06-28 14:40:52.234",
                level="ERROR",
                message="payment refused",
            ),
            example("[16:40:52 INF] Started", clock="16:40:52.000", level="INFO", message="Started"),
        ),
    ),
    Format(
        "nlog",
        r"^{stamp}\|{level}\|(?P<logger>[^|]*)\|{message}",
        (
            example(
                "2024-06-28 16:40:52.2345|INFO|Shop.Cart|added 3 items",
                at="2024-06-28 16:40:52.234",
                level="INFO",
                logger="Shop.Cart",
                message="added 3 items",
            ),
        ),
    ),
    Format(
        ".net console",
        r"^(?:\[?{when}\]? ?)?(?P<level>trce|dbug|info|warn|fail|crit): (?P<logger>[\w.`]+)\[[0-9]+\](?P<message>)$",
        (example("fail: Shop.Cart.CartService[13]", level="ERROR", logger="Shop.Cart.CartService", message=""),),
        second=r"^ {6}{message}",
    ),
    Format(
        "fern",
        r"^\[(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})\]\[(?P<time>[0-9:.]{8,18})\]\["
        r"(?P<logger>[\w:-]+)\]\[{level} *\] ?{message}",
        (
            example(
                "[2024-06-28][16:40:52][cart::api][WARN] low stock",
                at="2024-06-28 16:40:52.000",
                logger="cart::api",
                level="WARN",
                message="low stock",
            ),
        ),
    ),
    Format(
        ".net console on one line",
        r"^(?:\[?{when}\]? ?)?(?P<level>trce|dbug|info|warn|fail|crit): (?P<logger>[\w.`]+)\[[0-9]+\] {message}",
        (
            example(
                "16:40:52 fail: Shop.Cart.CartService[13] stock is empty",
                clock="16:40:52.000",
                level="ERROR",
                logger="Shop.Cart.CartService",
                message="stock is empty",
            ),
        ),
    ),
    Format(
        ".net systemd",
        r"^<(?P<priority>[0-7])>(?P<logger>[\w.`]+)\[[0-9]+\] {message}",
        (
            example(
                "<4>Shop.Cart.CartService[13] stock is low",
                level="WARNING",
                logger="Shop.Cart.CartService",
                message="stock is low",
            ),
        ),
    ),
)
