"""General forms: any other format explains a line better."""

from __future__ import annotations

from lo2core.load.formats.format import Format, example

LOOSE = (
    Format(
        "time, level in brackets, text",
        r"^{stamp} \[{level} *\] {message}",
        (
            example(
                "2024-06-28 16:40:52 [info     ] order paid                     order=17",
                at="2024-06-28 16:40:52.000",
                level="INFO",
                message="order paid                     order=17",
            ),
        ),
        loose=True,
    ),
    Format(
        "time, thread, level, text",
        r"^\[?{when}\]?[ \t]+\[(?P<thread>{brackets})\][ \t]+\[?{level} *\]?:?[ \t]+{message}",
        (
            example(
                "2024-06-28 16:40:52.234 [worker 3] ERROR payment refused",
                at="2024-06-28 16:40:52.234",
                thread="worker 3",
                level="ERROR",
                message="payment refused",
            ),
            example(
                "2024-06-28 16:40:52,234 [main] [WARN ] [cart.views] low stock",
                at="2024-06-28 16:40:52.234",
                thread="main",
                level="WARN",
                message="[cart.views] low stock",
            ),
        ),
        loose=True,
    ),
    Format(
        "time, level, text",
        r"^\[?{stamp}\]?(?: *[|;,:-]? *|\t)[\[(<]? *{word} *[\])>]?(?: *(?:[:|;,-]| |\t) *|$){message}",
        (
            example(
                "28.06.2024 16:40:52 | WARN | low stock",
                at="2024-06-28 16:40:52.000",
                level="WARN",
                message="low stock",
            ),
        ),
        loose=True,
    ),
    Format(
        "time, logger, level, text",
        r"^\[?{stamp}\]? +(?P<logger>[A-Za-z_][\w.$:/-]*) +\[?{level} *\]?:? +{message}",
        (
            example(
                "2024-06-28 16:40:52,234 cart.views   WARNING  low stock",
                at="2024-06-28 16:40:52.234",
                logger="cart.views",
                level="WARNING",
                message="low stock",
            ),
        ),
        loose=True,
    ),
    Format(
        "time of day, level, text",
        r"^\[?{clock}\]?(?: *[|;,-]? *|\t)[\[(<]? *{word} *[\])>]?(?: *(?:[:|;,-]| |\t) *|$){message}",
        (example("16:40:52 ERROR payment refused", clock="16:40:52.000", level="ERROR", message="payment refused"),),
        loose=True,
    ),
    Format(
        "month and day, time, level, text",
        r"^\[?(?P<date>[0-9]{2}[-/][0-9]{2})[ T](?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?)\]?"
        r"(?:[ \t]+\[(?P<thread>{brackets})\])?(?: *[|;,-]? *|\t)[\[(<]? *{word} *[\])>]?"
        r"(?: *(?:[:|;,-]| |\t) *|$){message}",
        (
            example("06-28 16:40:52.234 WARN low stock", at="06-28 16:40:52.234", level="WARN", message="low stock"),
            example(
                "28/06 16:40:52,234 [main] ERROR payment refused",
                at="06-28 16:40:52.234",
                thread="main",
                level="ERROR",
                message="payment refused",
            ),
        ),
        loose=True,
    ),
    Format(
        "level, time, text",
        r"^\[?{level} *\]?:? *(?:[|;,-] ?)?\[?{stamp}\]?(?:[:|;,-]| |\t)+{message}",
        (
            example(
                "[ERROR] 2024-06-28 16:40:52 payment refused",
                at="2024-06-28 16:40:52.000",
                level="ERROR",
                message="payment refused",
            ),
        ),
        loose=True,
    ),
    Format(
        "epoch, text",
        r"^\[?{epoch}\]?[ ,|\t]+(?:\[?{level} *\]?:?[ ,|\t]+)?{message}",
        (
            example(
                "1719592852.234 ERROR payment refused",
                at="2024-06-28 16:40:52.234",
                level="ERROR",
                message="payment refused",
            ),
        ),
        loose=True,
    ),
    Format(
        "github actions",
        r"^(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})T(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{7})(?P<zone>Z) *"
        r"(?:##\[(?P<mark>error|warning|notice|debug)\])?{message}",
        (
            example(
                "2024-06-28T16:40:52.2345678Z ##[error]Process completed with exit code 1.",
                at="2024-06-28 16:40:52.234",
                level="ERROR",
                message="Process completed with exit code 1.",
            ),
            example("2024-06-28T16:40:52.2345678Z Run tests", at="2024-06-28 16:40:52.234", message="Run tests"),
        ),
        loose=True,
    ),
    Format(
        "time, text",
        r"^{stamp}(?:[ ,:;|\t-]+|$){message}",
        (
            example(
                "2024/06/28 16:40:52 listening on :8080",
                at="2024-06-28 16:40:52.000",
                message="listening on :8080",
            ),
            example(
                "Jun 28 16:40:52 last message repeated 2 times",
                at="06-28 16:40:52.000",
                message="last message repeated 2 times",
            ),
            example("2024-06-28 16:40:52 3 items sold", at="2024-06-28 16:40:52.000", message="3 items sold"),
        ),
        loose=True,
    ),
    Format(
        "date in brackets, text",
        r"^\[{stamp}\] *{message}",
        (
            example(
                "[Fri Jun 28 16:40:52 2024] Out of memory: Killed process 71 (java)",
                at="2024-06-28 16:40:52.000",
                message="Out of memory: Killed process 71 (java)",
            ),
        ),
        loose=True,
    ),
    Format(
        "time in brackets, text",
        r"^\[{when}\] *{message}",
        (example("[16:40:52] listening", clock="16:40:52.000", message="listening"),),
        loose=True,
    ),
    Format(
        "time of day, text",
        r"^(?P<time>(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.,][0-9]{3,9}) ?(?P<message>(?:[^0-9].*)?)$",
        (example("16:40:52.234 something else", clock="16:40:52.234", message="something else"),),
        loose=True,
    ),
    Format(
        "level, text",
        r"^[\[<]?(?P<level>TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|SEVERE) *[\]>]?:? +{message}",
        (example("[ERROR] payment refused", level="ERROR", message="payment refused"),),
        loose=True,
    ),
    Format(
        "level in brackets, text",
        r"^\[ *{level} *\]:? *{message}",
        (example("[info] payment refused", level="INFO", message="payment refused"),),
        loose=True,
    ),
    Format(
        "seconds since the start, text",
        r"^\[ *[0-9]{1,7}\.[0-9]{3,6}s?\](?:\[{level} *\])? *{message}",
        (
            example(
                "[   12.345678] usb 1-1: new high-speed device",
                message="usb 1-1: new high-speed device",
            ),
        ),
        loose=True,
    ),
)
