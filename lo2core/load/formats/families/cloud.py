"""Logs of cloud services and build runners."""

from __future__ import annotations

from lo2core.load.formats.format import Format, example

_MARK = r"(?:##\[(?P<mark>error|warning|notice|debug)\])?"
_TIMES = r"(?:-?[0-9.]+ ){3}"
_STATUSES = r"(?:[0-9]{1,3}|-) (?:[0-9]{1,3}|-)"

CLOUD = (
    Format(
        "vpc flow log",
        r"^(?:eni-[\w-]+ )?(?P<message>[0-9] [0-9]{12} eni-[0-9a-f]+ (?:\S+ ){7}(?P<epoch>[0-9]{10}) [0-9]{10} "
        r"(?:ACCEPT|REJECT|-) (?:OK|NODATA|SKIPDATA)\b.*)$",
        (
            example(
                "2 123456789010 eni-1235b8ca 10.0.0.7 10.0.0.8 49761 22 6 2 42 1719592852 1719592912 REJECT OK",
                at="2024-06-28 16:40:52.000",
                message="2 123456789010 eni-1235b8ca 10.0.0.7 10.0.0.8 49761 22 6 2 42 1719592852 1719592912 REJECT OK",
            ),
        ),
    ),
    Format(
        "s3 access log",
        r"^[0-9a-f]{40,64} (?P<logger>[\w.-]+) \[{stamp}\] \S+ \S+ (?P<correlation_id>\w+) "
        r"(?P<message>[A-Z0-9]+\.[A-Z_.]+ .*)$",
        (
            example(
                f"{'79a59df9' * 8} Shop_images [28/Jun/2024:16:40:52 +0000] 10.0.0.7 - 3E57427F3EXAMPLE "
                'REST.GET.OBJECT cart.png "GET /shop-images/cart.png HTTP/1.1" 403 AccessDenied - - "curl/8" -',
                at="2024-06-28 16:40:52.000",
                logger="Shop_images",
                correlation_id="3E57427F3EXAMPLE",
                message='REST.GET.OBJECT cart.png "GET /shop-images/cart.png HTTP/1.1" 403 AccessDenied - - "curl/8" -',
            ),
        ),
    ),
    Format(
        "application load balancer",
        rf"^(?:https?|h2|grpcs|wss?) {{stamp}} (?P<logger>\S+) \S+ \S+ {_TIMES}(?P<message>{_STATUSES} .*)$",
        (
            example(
                "https 2024-06-28T16:40:52.234567Z app/shop/50dc6c495c0c9188 10.0.0.7:2817 - -1 -1 -1 502 - 34 366 "
                '"GET https://shop.example:443/ HTTP/1.1" "curl/8" - -',
                at="2024-06-28 16:40:52.234",
                logger="app/shop/50dc6c495c0c9188",
                message='502 - 34 366 "GET https://shop.example:443/ HTTP/1.1" "curl/8" - -',
            ),
        ),
    ),
    Format(
        "network load balancer",
        r"^tls [0-9.]+ {stamp} (?P<logger>net/\S+) {message}",
        (
            example(
                "tls 2.0 2024-06-28T16:40:52 net/shop/c6e77e28c25b2234 g3d4b5e8 10.0.0.7:51341 10.0.0.8:443 5 2 -",
                at="2024-06-28 16:40:52.000",
                logger="net/shop/c6e77e28c25b2234",
                message="g3d4b5e8 10.0.0.7:51341 10.0.0.8:443 5 2 -",
            ),
        ),
    ),
    Format(
        "classic load balancer",
        rf'^{{stamp}} (?P<logger>[\w-]+) \S+:[0-9]+ \S+ {_TIMES}(?P<message>{_STATUSES} [0-9]+ [0-9]+ ".*)$',
        (
            example(
                "2024-06-28T16:40:52.234567Z shop 10.0.0.7:2817 10.0.0.8:80 0.000073 0.001048 0.000057 503 503 0 29 "
                '"GET http://shop.example:80/ HTTP/1.1" "curl/8" - -',
                at="2024-06-28 16:40:52.234",
                logger="shop",
                message='503 503 0 29 "GET http://shop.example:80/ HTTP/1.1" "curl/8" - -',
            ),
        ),
    ),
    Format(
        "heroku router",
        r"^at=(?P<level>info|warning|error) (?P<message>.*?(?:request_id=(?P<correlation_id>[\w-]+).*)?)$",
        (
            example(
                'at=error code=H12 desc="Request timeout" method=POST path="/pay" request_id=6f1e status=503',
                level="ERROR",
                correlation_id="6f1e",
                message='code=H12 desc="Request timeout" method=POST path="/pay" request_id=6f1e status=503',
            ),
        ),
    ),
    Format(
        "heroku dyno",
        r"^(?P<message>(?:State changed from \S+ to \S+$|Starting process with command `|Error [A-Z][0-9]{1,2} \("
        r"|Process exited with status [0-9]|Stopping (?:all processes|process) with SIG|Process running mem=).*)$",
        (
            example("State changed from up to crashed", message="State changed from up to crashed"),
            example("Error R14 (Memory quota exceeded)", message="Error R14 (Memory quota exceeded)"),
        ),
    ),
    Format(
        "github runner",
        r"^\[{stamp} (?P<level>INFO|WARN|ERR|VERB|CRIT) +(?P<logger>[\w.]+)\] {message}",
        (
            example(
                "[2024-06-28 16:40:52Z ERR  JobRunner] Caught exception",
                at="2024-06-28 16:40:52.000",
                level="ERROR",
                logger="JobRunner",
                message="Caught exception",
            ),
        ),
    ),
    Format(
        "github actions with steps",
        rf"^(?P<thread>[A-Za-z][^\t:|]*)\t(?P<logger>[^\t]+)\t{{stamp}} {_MARK}{{message}}",
        (
            example(
                "build\tRun tests\t2024-06-28T16:40:52.2345678Z ##[error]Process completed with exit code 1.",
                at="2024-06-28 16:40:52.234",
                thread="build",
                logger="Run tests",
                level="ERROR",
                message="Process completed with exit code 1.",
            ),
        ),
    ),
)
