"""Logs of proxies and of IIS."""

from __future__ import annotations

from lo2core.load.formats.format import Format, example

PROXIES = (
    Format(
        "haproxy",
        r"^\S+:[0-9]+ \[{stamp}\] (?P<message>(?P<logger>[\w.:~-]+)"
        r"(?: [^ ]+/[^ ]+ [0-9/+-]+ .*|/\S+: .*))$",
        (
            example(
                "10.0.0.7:51234 [28/Jun/2024:16:40:52.234] http shop/cart1 10/0/30/69/109 200 512 - - ---- 1/1/1/1/0 "
                '0/0 "GET /cart HTTP/1.1"',
                at="2024-06-28 16:40:52.234",
                logger="http",
                message='http shop/cart1 10/0/30/69/109 200 512 - - ---- 1/1/1/1/0 0/0 "GET /cart HTTP/1.1"',
            ),
            example(
                "10.0.0.7:51234 [28/Jun/2024:16:40:52.234] https/1: SSL handshake failure",
                at="2024-06-28 16:40:52.234",
                logger="https",
                message="https/1: SSL handshake failure",
            ),
        ),
    ),
    Format(
        "haproxy process",
        r"^\[(?P<level>DEBUG|INFO|NOTICE|WARNING|ALERT|EMERG)\] +(?:[0-9]{3}/[0-9]{6} )?\((?P<thread>[0-9]+)\) : "
        r"{message}",
        (
            example(
                "[WARNING]  (8) : Server shop/cart1 is DOWN, reason: Layer4 connection problem",
                level="WARNING",
                thread="8",
                message="Server shop/cart1 is DOWN, reason: Layer4 connection problem",
            ),
        ),
    ),
    Format(
        "squid",
        r"^{epoch} +[0-9]+ \S+ (?P<message>[A-Z_]+/[0-9]{3} [0-9]+ (?:[A-Z_]+|-) \S+ \S+ [A-Z_]+/\S+.*)$",
        (
            example(
                "1719592852.234     57 10.0.0.7 TCP_MISS/200 512 GET http://shop.example/ - HIER_DIRECT/10.0.0.9 -",
                at="2024-06-28 16:40:52.234",
                message="TCP_MISS/200 512 GET http://shop.example/ - HIER_DIRECT/10.0.0.9 -",
            ),
            example(
                "1719592852.234      0 10.0.0.7 NONE_NONE/400 3500 - error:invalid-request - HIER_NONE/- text/html",
                at="2024-06-28 16:40:52.234",
                message="NONE_NONE/400 3500 - error:invalid-request - HIER_NONE/- text/html",
            ),
        ),
    ),
    Format(
        "squid cache",
        r"^{stamp} (?P<thread>kid[0-9]+)\| (?:(?P<mark>WARNING|ERROR|FATAL|ALERT): )?{message}",
        (
            example(
                "2024/06/28 16:40:52 kid1| FATAL: Bungled squid.conf line 3",
                at="2024-06-28 16:40:52.000",
                thread="kid1",
                level="FATAL",
                message="Bungled squid.conf line 3",
            ),
            example(
                "2024/06/28 16:40:52 kid1| Accepting HTTP connections",
                at="2024-06-28 16:40:52.000",
                thread="kid1",
                message="Accepting HTTP connections",
            ),
        ),
    ),
    Format(
        "iis",
        r"^\S+, \S+, (?P<date>[0-9]{1,2}/[0-9]{1,2}/(?:[0-9]{4}|[0-9]{2})), (?P<time>[0-9]{1,2}:[0-9]{2}:[0-9]{2}), "
        r"(?P<logger>\w+), {message}",
        (
            example(
                "10.0.0.7, -, 06/28/2024, 16:40:52, W3SVC2, SHOP1, 10.0.0.1, 4502, 163, 3223, 200, 0, GET, /cart, -,",
                at="2024-06-28 16:40:52.000",
                logger="W3SVC2",
                message="SHOP1, 10.0.0.1, 4502, 163, 3223, 200, 0, GET, /cart, -,",
            ),
        ),
    ),
)
