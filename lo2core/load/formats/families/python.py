"""Logs of Python programs."""

from __future__ import annotations

from lo2core.load.formats.format import Format, example

PYTHON = (
    Format(
        "python logging",
        r"^{stamp} - (?P<logger>[\w.$-]+) - (?:(?P<thread>\w+) - )??{level} - {message}",
        (
            example(
                "2024-06-28 16:40:52,234 - cart.views - ERROR - stock is empty",
                at="2024-06-28 16:40:52.234",
                logger="cart.views",
                level="ERROR",
                message="stock is empty",
            ),
        ),
    ),
    Format(
        "python basicConfig",
        r"^(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):(?P<logger>[\w.-]+):{message}",
        (example("WARNING:root:low stock", level="WARNING", logger="root", message="low stock"),),
    ),
    Format(
        "flask",
        r"^\[{stamp}\] {level} in (?P<logger>[\w.]+): {message}",
        (
            example(
                "[2024-06-28 16:40:52,234] ERROR in app: Exception on /pay [POST]",
                at="2024-06-28 16:40:52.234",
                level="ERROR",
                logger="app",
                message="Exception on /pay [POST]",
            ),
        ),
    ),
    Format(
        "gunicorn",
        r"^\[{stamp}\] \[(?P<thread>[0-9]+)\] \[{level}\] {message}",
        (
            example(
                "[2024-06-28 16:40:52 +0000] [7] [INFO] Listening at: http://0.0.0.0:8000 (7)",
                at="2024-06-28 16:40:52.000",
                thread="7",
                level="INFO",
                message="Listening at: http://0.0.0.0:8000 (7)",
            ),
        ),
    ),
    Format(
        "celery",
        r"^\[{stamp}: {level}/(?P<thread>[^\]]+)\] "
        r"(?:(?P<logger>[\w.]+)\[(?P<correlation_id>[0-9a-f-]{36})\]: )?{message}",
        (
            example(
                "[2024-06-28 16:40:52,234: INFO/MainProcess] Connected to redis://redis:6379//",
                at="2024-06-28 16:40:52.234",
                level="INFO",
                thread="MainProcess",
                message="Connected to redis://redis:6379//",
            ),
        ),
    ),
    Format(
        "loguru",
        r"^{stamp} \| {level} *\| (?P<logger>[\w.<>]+):(?P<method>[\w<>]+):[0-9]+ - {message}",
        (
            example(
                "2024-06-28 16:40:52.234 | INFO     | cart.api:add:42 - added 3 items",
                at="2024-06-28 16:40:52.234",
                level="INFO",
                logger="cart.api",
                method="add",
                message="added 3 items",
            ),
        ),
    ),
    Format(
        "openstack",
        r"^(?:\S+\.log\S* )?{stamp} (?P<thread>[0-9]+) {level} (?P<logger>[\w.-]+) "
        r"\[(?:(?P<correlation_id>req-[0-9a-f-]+)[^\]]*|-)\] {message}",
        (
            example(
                "nova-api.log.1.2017-05-16_13:53:08 2017-05-16 00:00:00.008 25746 INFO nova.osapi_compute.wsgi.server "
                "[req-38101a0b-2096-447d-96ea-a692162415ae 113d3a99 54fadb41 - - -] 10.11.10.1 status: 200",
                at="2017-05-16 00:00:00.008",
                thread="25746",
                level="INFO",
                logger="nova.osapi_compute.wsgi.server",
                correlation_id="req-38101a0b-2096-447d-96ea-a692162415ae",
                message="10.11.10.1 status: 200",
            ),
        ),
    ),
    Format(
        "openstack stack trace",
        r"^(?:\S+\.log\S* )?{stamp} (?P<thread>[0-9]+) {level} (?P<logger>[\w-]+(?:\.[\w-]+)+) "
        r"(?P<message>(?:[^\[]|\[instance:).*)$",
        (
            example(
                "2017-05-16 00:00:04.500 2931 ERROR nova.compute.manager Traceback (most recent call last):",
                at="2017-05-16 00:00:04.500",
                thread="2931",
                level="ERROR",
                logger="nova.compute.manager",
                message="Traceback (most recent call last):",
            ),
        ),
    ),
    Format(
        "uvicorn access",
        r'^(?P<level>INFO): +[0-9a-f.:\[\]]+:[0-9]+ - (?P<message>"[A-Z]+ [^"]*" [0-9]{3}.*)$',
        (
            example(
                'INFO:     10.0.0.7:51234 - "GET /cart HTTP/1.1" 200 OK',
                level="INFO",
                message='"GET /cart HTTP/1.1" 200 OK',
            ),
        ),
    ),
    Format(
        "uvicorn",
        r"^(?P<level>TRACE|DEBUG|INFO|WARNING|ERROR|CRITICAL): {3,}{message}",
        (example("INFO:     Application startup complete.", level="INFO", message="Application startup complete."),),
    ),
    Format(
        "django",
        r"^{level} {stamp} (?P<logger>[\w.]+) (?P<thread>[0-9]+ [0-9]+) {message}",
        (
            example(
                "INFO 2024-06-28 16:40:52,234 views 7 139872 added 3 items",
                level="INFO",
                at="2024-06-28 16:40:52.234",
                logger="views",
                thread="7 139872",
                message="added 3 items",
            ),
        ),
    ),
    Format(
        "airflow",
        r"^\[{stamp}\] \{(?P<logger>[\w.-]+):[0-9]+\} {level} - {message}",
        (
            example(
                "[2024-06-28T16:40:52.234+0000] {taskinstance.py:1157} INFO - Dependencies are met",
                at="2024-06-28 16:40:52.234",
                logger="taskinstance.py",
                level="INFO",
                message="Dependencies are met",
            ),
        ),
    ),
    Format(
        "twisted",
        r"^{stamp} \[(?P<logger>[\w.,-]+)#{level}\] {message}",
        (
            example(
                "2024-06-28T16:40:52+0000 [cart.views#warn] low stock",
                at="2024-06-28 16:40:52.000",
                logger="cart.views",
                level="WARN",
                message="low stock",
            ),
        ),
    ),
    Format(
        "tornado",
        r"^\[{letter} (?P<date>[0-9]{6}|[0-9]{4}-[0-9]{2}-[0-9]{2}) (?P<time>[0-9:.]{8,12}) "
        r"(?P<logger>[^\]]+)\] {message}",
        (
            example(
                "[W 240628 16:40:52 web:2239] 404 GET /cart",
                level="WARN",
                at="2024-06-28 16:40:52.000",
                logger="web:2239",
                message="404 GET /cart",
            ),
        ),
    ),
)
