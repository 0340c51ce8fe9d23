"""Logs of web servers, proxies, databases and brokers."""

from __future__ import annotations

from lo2core.load.formats.format import Format, example

SERVERS = (
    Format(
        "access log with time in front",
        r'^\[{stamp}\] (?P<message>"(?:[A-Z]+|-) [^"]*" [0-9]{1,3} .*)$',
        (
            example(
                '[2024-06-28T16:40:52.234Z] "GET /cart HTTP/1.1" 503 UF 0 91 12 - "-" "curl/8"',
                at="2024-06-28 16:40:52.234",
                message='"GET /cart HTTP/1.1" 503 UF 0 91 12 - "-" "curl/8"',
            ),
        ),
    ),
    Format(
        "access log",
        r"^(?:\S+ )?\S+ \S+ \S+ "
        r"\[(?P<date>[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4})[: ](?P<time>[0-9:]{8})(?:\.[0-9]+)?(?: "
        r"(?P<zone>[+-][0-9]{4}))?\] "
        r'(?P<message>"[^"]*" (?:[0-9]{3}|-).*)$',
        (
            example(
                '10.0.0.7 - alice [28/Jun/2024:16:40:52 +0200] "GET /cart HTTP/1.1" 200 512 "-" "curl/8"',
                at="2024-06-28 14:40:52.000",
                message='"GET /cart HTTP/1.1" 200 512 "-" "curl/8"',
            ),
        ),
    ),
    Format(
        "apache error",
        r"^\[[A-Z][a-z]{2} (?P<monthday>[A-Z][a-z]{2} [ 0-9][0-9]) (?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2}"
        r"(?:\.[0-9]+)?) "
        r"(?P<year>[0-9]{4})\] \[(?:(?P<logger>\w*):)?"
        r"(?P<level>emerg|alert|crit|error|warn|notice|info|debug|trace[1-8])\] "
        r"(?:\[pid (?P<thread>[0-9]+[^\]]*)\] )?"
        r"(?:\[client [^\]]+\] )?{message}",
        (
            example(
                "[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok /etc/httpd/conf/workers2.properties",
                at="2005-12-04 04:47:44.000",
                level="NOTICE",
                message="workerEnv.init() ok /etc/httpd/conf/workers2.properties",
            ),
            example(
                "[Fri Jun 28 16:40:52.234567 2024] [core:error] [pid 7:tid 12] [client 10.0.0.7:510] AH00126: Bad URI",
                at="2024-06-28 16:40:52.234",
                logger="core",
                level="ERROR",
                thread="7:tid 12",
                message="AH00126: Bad URI",
            ),
        ),
        opening=r"^\[{stamp}(?P<message>(?:[^0-9].*)?)$",
    ),
    Format(
        "nginx error",
        r"^{stamp} \[{level}\] (?P<thread>[0-9]+#[0-9]+): (?:\*[0-9]+ )?{message}",
        (
            example(
                "2024/06/28 16:40:52 [error] 31#31: *7 connect() failed (111: Connection refused)",
                at="2024-06-28 16:40:52.000",
                level="ERROR",
                thread="31#31",
                message="connect() failed (111: Connection refused)",
            ),
        ),
    ),
    Format(
        "envoy",
        r"^\[{stamp}\]\[(?P<thread>[0-9]+)\]\[{level}\]\[(?P<logger>[\w.-]+)\] (?:\[[^\]]+:[0-9]+\] )?{message}",
        (
            example(
                "[2024-06-28 16:40:52.234][1][warning][main] [source/server/server.cc:715] no admin address given",
                at="2024-06-28 16:40:52.234",
                thread="1",
                level="WARNING",
                logger="main",
                message="no admin address given",
            ),
        ),
    ),
    Format(
        "postgresql",
        r"^{stamp}(?::\S*:)? ?\[(?P<thread>[0-9]+)(?:-[0-9]+)?\]:?(?: \[[0-9-]+\])?(?: (?P<logger>\S*[@=]\S*))? ?"
        r"(?P<level>LOG|ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|DEBUG[1-5]?|DETAIL|HINT|STATEMENT|CONTEXT): +{message}",
        (
            example(
                "2024-06-28 16:40:52.234 UTC [71] shop@cart ERROR:  relation does not exist at character 15",
                at="2024-06-28 16:40:52.234",
                thread="71",
                logger="shop@cart",
                level="ERROR",
                message="relation does not exist at character 15",
            ),
        ),
    ),
    Format(
        "mysql",
        r"^{stamp} (?:(?P<thread>[0-9]+) )?"
        r"\[(?P<level>System|Note|Warning|ERROR|Error)\] (?:\[(?:MY-[0-9]+)\] \[(?P<logger>\w+)\] )?{message}",
        (
            example(
                "2024-06-28T16:40:52.234567Z 0 [Warning] [MY-010068] [Server] CA certificate is self signed.",
                at="2024-06-28 16:40:52.234",
                thread="0",
                level="WARNING",
                logger="Server",
                message="CA certificate is self signed.",
            ),
            example(
                "2024-06-28 16:40:52 0 [Note] InnoDB: Buffer pool loaded",
                at="2024-06-28 16:40:52.000",
                thread="0",
                level="INFO",
                message="InnoDB: Buffer pool loaded",
            ),
        ),
    ),
    Format(
        "mysql 5.5",
        r"^(?P<date>[0-9]{6}) +(?P<time>[0-9]{1,2}:[0-9]{2}:[0-9]{2}) (?:(?P<thread>[0-9]+) )?"
        r"\[(?P<level>System|Note|Warning|ERROR|Error)\] {message}",
        (
            example(
                "240628  4:40:52 [Warning] Access denied for user 'shop'@'10.0.0.7'",
                at="2024-06-28 04:40:52.000",
                level="WARNING",
                message="Access denied for user 'shop'@'10.0.0.7'",
            ),
        ),
    ),
    Format(
        "redis",
        r"^(?:(?P<thread>[0-9]+:[XCSM])|\[[0-9]+\]) {stamp} (?P<level>[.*#-]) {message}",
        (
            example(
                "1:M 28 Jun 2024 16:40:52.234 * Ready to accept connections",
                at="2024-06-28 16:40:52.234",
                thread="1:M",
                level="NOTICE",
                message="Ready to accept connections",
            ),
        ),
    ),
    Format(
        "rabbitmq",
        r"^{stamp} \[{level}\] <(?P<thread>[0-9.]+)> {message}",
        (
            example(
                "2024-06-28 16:40:52.234567+00:00 [error] <0.684.0> Channel error on connection",
                at="2024-06-28 16:40:52.234",
                level="ERROR",
                thread="0.684.0",
                message="Channel error on connection",
            ),
        ),
    ),
    Format(
        "clickhouse",
        r"^{stamp} \[ (?P<thread>[0-9]+) \] \{(?P<correlation_id>[^}]*)\} <{level}> {message}",
        (
            example(
                "2024.06.28 16:40:52.234567 [ 7 ] {6f1e-42} <Error> executeQuery: Code: 60",
                at="2024-06-28 16:40:52.234",
                thread="7",
                correlation_id="6f1e-42",
                level="ERROR",
                message="executeQuery: Code: 60",
            ),
        ),
    ),
    Format(
        "mongodb",
        r"^{stamp} (?P<level>[DIWEF])[1-5]? +(?P<logger>[A-Z_]+|-) +\[(?P<thread>{brackets})\] {message}",
        (
            example(
                "2024-06-28T16:40:52.234+0200 I NETWORK  [initandlisten] waiting for connections",
                at="2024-06-28 14:40:52.234",
                level="INFO",
                logger="NETWORK",
                thread="initandlisten",
                message="waiting for connections",
            ),
        ),
    ),
    Format(
        "aws lambda",
        r"^(?:{stamp}\t(?P<correlation_id>[0-9a-f-]{36})\t{level}\t){message}",
        (
            example(
                "2024-06-28T16:40:52.234Z\t6f1e3c5a-0000-4000-8000-6f1e3c5a0042\tERROR\tpayment refused",
                at="2024-06-28 16:40:52.234",
                correlation_id="6f1e3c5a-0000-4000-8000-6f1e3c5a0042",
                level="ERROR",
                message="payment refused",
            ),
        ),
    ),
    Format(
        "aws lambda for python",
        r"^\[{level}\]\t{stamp}\t(?P<correlation_id>[0-9a-f-]{36})\t{message}",
        (
            example(
                "[ERROR]\t2024-06-28T16:40:52.234Z\t6f1e3c5a-0000-4000-8000-6f1e3c5a0042\tpayment refused",
                level="ERROR",
                at="2024-06-28 16:40:52.234",
                correlation_id="6f1e3c5a-0000-4000-8000-6f1e3c5a0042",
                message="payment refused",
            ),
        ),
    ),
)
