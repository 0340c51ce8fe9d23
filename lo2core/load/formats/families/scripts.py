"""Logs of programs in JavaScript, Ruby, PHP and Elixir."""

from __future__ import annotations

from lo2core.load.formats.format import Format, example

NODE = (
    Format(
        "pino-pretty",
        r"^\[{when}\] {level} \((?:(?P<logger>[\w.-]+)/)?[0-9]+(?: on [^)]+)?\): {message}",
        (
            example(
                "[16:40:52.234] WARN (cart/17): low stock",
                clock="16:40:52.234",
                level="WARN",
                logger="cart",
                message="low stock",
            ),
        ),
    ),
    Format(
        "winston",
        r"^(?:{stamp} )?(?:\[(?P<logger>[\w.-]*[A-Za-z_][\w.-]*)\] )?"
        r"(?P<level>error|warn|info|http|verbose|debug|silly): {message}",
        (
            example(
                "2024-06-28T16:40:52.234Z [cart] warn: low stock",
                at="2024-06-28 16:40:52.234",
                logger="cart",
                level="WARN",
                message="low stock",
            ),
        ),
    ),
    Format(
        "nestjs",
        r"^\[Nest\] (?P<thread>[0-9]+) +- {stamp} +(?P<level>LOG|ERROR|WARN|DEBUG|VERBOSE|FATAL) (?:\["
        r"(?P<logger>[^\]]+)\] )?{message}",
        (
            example(
                "[Nest] 17  - 06/28/2024, 4:40:52 PM     LOG [NestFactory] Starting Nest application",
                thread="17",
                at="2024-06-28 16:40:52.000",
                level="INFO",
                logger="NestFactory",
                message="Starting Nest application",
            ),
        ),
    ),
    Format(
        "log4js",
        r"^\[{stamp}\] \[{level}\] (?P<logger>[\w.-]+) - {message}",
        (
            example(
                "[2024-06-28T16:40:52.234] [WARN] cart - low stock",
                at="2024-06-28 16:40:52.234",
                level="WARN",
                logger="cart",
                message="low stock",
            ),
        ),
    ),
    Format(
        "bunyan on a terminal",
        r"^\[{stamp}\] +{level}: (?P<logger>[\w.-]+)/(?P<thread>[0-9]+)(?: on [\w.-]+)?: {message}",
        (
            example(
                "[2024-06-28T16:40:52.234Z]  WARN: cart/17 on shop1: low stock",
                at="2024-06-28 16:40:52.234",
                level="WARN",
                logger="cart",
                thread="17",
                message="low stock",
            ),
        ),
    ),
    Format(
        "morgan",
        r"^(?P<message>(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) \S+ (?:[0-9]{3}|-) [0-9.-]+ ms - \S+)$",
        (
            example(
                "GET /cart 304 1.234 ms - -",
                message="GET /cart 304 1.234 ms - -",
            ),
        ),
    ),
)

RUBY_PHP_ELIXIR = (
    Format(
        "ruby logger",
        r"^[DIWEFA], \[{stamp} #(?P<thread>[0-9]+)\] +(?P<level>DEBUG|INFO|WARN|ERROR|FATAL|ANY) -- "
        r"(?P<logger>[^:]*): {message}",
        (
            example(
                "W, [2024-06-28T16:40:52.234567 #7]  WARN -- cart: low stock",
                at="2024-06-28 16:40:52.234",
                thread="7",
                level="WARN",
                logger="cart",
                message="low stock",
            ),
        ),
    ),
    Format(
        "monolog",
        r"^\[{stamp}\] (?P<logger>[\w-]+)\."
        r"(?P<level>DEBUG|INFO|NOTICE|WARNING|ERROR|CRITICAL|ALERT|EMERGENCY): {message}",
        (
            example(
                '[2024-06-28T16:40:52.234567+02:00] cart.ERROR: low stock {"item":7} []',
                at="2024-06-28 14:40:52.234",
                logger="cart",
                level="ERROR",
                message='low stock {"item":7} []',
            ),
        ),
    ),
    Format(
        "php",
        r"^\[{stamp}\] PHP (?P<level>Notice|Warning|Deprecated|Fatal error|Parse error): +{message}",
        (
            example(
                "[28-Jun-2024 16:40:52 Europe/Berlin] PHP Warning:  Undefined variable $cart",
                at="2024-06-28 14:40:52.000",
                level="WARNING",
                message="Undefined variable $cart",
            ),
        ),
    ),
    Format(
        "elixir",
        r"^{clock} (?:\w+=\S+ )+\[{level}\] {message}",
        (
            example(
                "16:40:52.234 request_id=F8x [info] GET /cart",
                clock="16:40:52.234",
                level="INFO",
                message="GET /cart",
            ),
        ),
    ),
)
