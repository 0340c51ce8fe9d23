"""The catalogue of log formats, the most specific ones first: of formats that explain as many lines, the first wins.

`docs/formats.md` lists them; it is made from this module.
"""

from __future__ import annotations

from lo2core.load.formats.format import Format, example
from lo2core.load.formats.objects import PATTERNS
from lo2core.load.formats.stamps import ZONE

LO2 = Format(
    "lo2",
    r"^(?P<head>(?P<time>(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.,][0-9]{3})[0-9]{0,6} "
    r"\[(?P<thread>[^\[\]]*)\] (?P<session>[^ ]*) (?P<correlation_id>[^ ]*) )"
    r"(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|SEVERE) ",
    (
        example(
            "16:40:52.234 [XNIO-1 task-1]  q7Zt0bKxR1yVn3MdLw8sPA INFO  c.n.h.Handler handle - served 200",
            clock="16:40:52.234",
            thread="XNIO-1 task-1",
            correlation_id="q7Zt0bKxR1yVn3MdLw8sPA",
            message="INFO  c.n.h.Handler handle - served 200",
        ),
    ),
    opening=rf"^(?:(?P<date>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})[ T])?(?P<time>(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    rf"[.,][0-9]{{3,9}})(?: ?(?P<zone>{ZONE})\b)?(?P<message>(?:[^0-9].*)?)$",
)
"""LO2's own logback pattern. Its message is `LEVEL logger method - text`, which is split once per distinct text; the
pattern ends with the level, so that the regex engine need not read the rest."""

_OBJECTS = (
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

_JVM = (
    Format(
        "spring boot",
        r"^{stamp} +{level} (?:[0-9]+|\S+) --- (?:\[[^\]]*\] )??\[ *(?P<thread>{brackets})\] "
        r"(?:\[(?P<correlation_id>[^\]]*)\] )?(?P<logger>\S+) *: {message}",
        (
            example(
                "2024-06-28 16:40:52.234  INFO 7 --- [nio-8080-exec-1] c.e.payment.PaymentService  : Paid order 17",
                at="2024-06-28 16:40:52.234",
                level="INFO",
                thread="nio-8080-exec-1",
                logger="c.e.payment.PaymentService",
                message="Paid order 17",
            ),
            example(
                "2024-06-28T16:40:52.234+02:00 ERROR 7 --- [cart] [nio-8080-exec-1] [6f1e-42] c.e.cart.Cart : Boom",
                at="2024-06-28 14:40:52.234",
                level="ERROR",
                thread="nio-8080-exec-1",
                correlation_id="6f1e-42",
                logger="c.e.cart.Cart",
                message="Boom",
            ),
        ),
    ),
    Format(
        "logback",
        r"^{when} +\[(?P<thread>{brackets})\](?: +(?P<session>[^\s\[]\S*)?)??(?: (?P<correlation_id>[^\s\[]\S*)?)?? +"
        r"\[?{level} *\]? +(?P<logger>\S+)(?: (?P<method>\S+))? - {message}",
        (
            example(
                "2024-06-28 16:40:52,234 [main] WARN  org.acme.Cart - stock is low",
                at="2024-06-28 16:40:52.234",
                thread="main",
                level="WARN",
                logger="org.acme.Cart",
                message="stock is low",
            ),
            example(
                "16:40:52.234 CEST [pool-1 [io] t-3] q7Zt0bKx info  c.n.h.Handler handle - served 200",
                clock="14:40:52.234",
                thread="pool-1 [io] t-3",
                session="q7Zt0bKx",
                level="INFO",
                logger="c.n.h.Handler",
                method="handle",
                message="served 200",
            ),
        ),
    ),
    Format(
        "logback without thread",
        r"^{when} +\[?{level} *\]? +(?P<logger>[^\s\[\]():]+)(?: (?P<method>\S+))? - {message}",
        (
            example(
                "2024-06-28T16:40:53Z ERROR c.n.H m - on the full second",
                at="2024-06-28 16:40:53.000",
                level="ERROR",
                logger="c.n.H",
                method="m",
                message="on the full second",
            ),
        ),
    ),
    Format(
        "log4j with thread after level",
        r"^{when} +-? ?{level} +\[(?P<thread>{brackets})\] +(?P<logger>[\w.$-]+)(?: \([^)]*\))?"
        r"(?::(?P<method>\w+)\(?\d*\)?)?"
        r"(?: -|:) {message}",
        (
            example(
                "2015-10-18 18:01:47,978 INFO [main] org.apache.hadoop.mapreduce.v2.app.MRAppMaster: Created it",
                at="2015-10-18 18:01:47.978",
                level="INFO",
                thread="main",
                logger="org.apache.hadoop.mapreduce.v2.app.MRAppMaster",
                message="Created it",
            ),
        ),
    ),
    Format(
        "zookeeper",
        r"^{stamp} (?:\[myid:[^\]]*\] )?- {level} +\[(?P<thread>{brackets}):(?P<logger>[\w.$]+)@[0-9]+\] - {message}",
        (
            example(
                "2015-07-29 17:41:44,747 - INFO  [QuorumPeer[myid=1]/0:0:0:0:0:0:0:0:2181:FastLeaderElection@774] - "
                "Notification time out: 3200",
                at="2015-07-29 17:41:44.747",
                level="INFO",
                thread="QuorumPeer[myid=1]/0:0:0:0:0:0:0:0:2181",
                logger="FastLeaderElection",
                message="Notification time out: 3200",
            ),
        ),
    ),
    Format(
        "kafka",
        r"^\[{stamp}\] {level} (?P<message>.*) \((?P<logger>[\w.$-]+)\)$",
        (
            example(
                "[2024-06-28 16:40:52,234] INFO [KafkaServer id=0] started (kafka.server.KafkaServer)",
                at="2024-06-28 16:40:52.234",
                level="INFO",
                logger="kafka.server.KafkaServer",
                message="[KafkaServer id=0] started",
            ),
        ),
    ),
    Format(
        "elasticsearch",
        r"^\[{stamp}\]\[{level} *\]\[(?P<logger>[^\]\s]+) *\] (?:\[(?P<thread>[^\]]*)\] ?)?{message}",
        (
            example(
                "[2024-06-28T16:40:52,234][INFO ][o.e.n.Node               ] [node-1] started",
                at="2024-06-28 16:40:52.234",
                level="INFO",
                logger="o.e.n.Node",
                thread="node-1",
                message="started",
            ),
        ),
    ),
    Format(
        "jboss",
        r"^{when} +{level} +\[(?P<logger>[\w.$-]+)\] \((?P<thread>[^)]*)\) {message}",
        (
            example(
                "16:40:52,234 INFO  [org.jboss.as] (Controller Boot Thread) WFLYSRV0025: started in 2341ms",
                clock="16:40:52.234",
                level="INFO",
                logger="org.jboss.as",
                thread="Controller Boot Thread",
                message="WFLYSRV0025: started in 2341ms",
            ),
        ),
    ),
    Format(
        "cassandra",
        r"^{level} +\[(?P<thread>{brackets})\] {stamp} (?P<logger>\w+)\.java:[0-9]+ - {message}",
        (
            example(
                "INFO  [main] 2024-06-28 16:40:52,234 CassandraDaemon.java:507 - Hostname: node1",
                at="2024-06-28 16:40:52.234",
                level="INFO",
                thread="main",
                logger="CassandraDaemon",
                message="Hostname: node1",
            ),
        ),
    ),
    Format(
        "tomcat",
        r"^{stamp} {level} \[(?P<thread>{brackets})\] (?P<logger>[\w.$]+)\.(?P<method>[\w<>$]+) {message}",
        (
            example(
                "28-Jun-2024 16:40:52.234 SEVERE [main] org.apache.catalina.startup.Catalina.start Startup failed",
                at="2024-06-28 16:40:52.234",
                level="SEVERE",
                thread="main",
                logger="org.apache.catalina.startup.Catalina",
                method="start",
                message="Startup failed",
            ),
        ),
    ),
    Format(
        "java.util.logging",
        r"^{stamp} (?P<logger>[\w.$]+) (?P<method>[\w<>$]+)(?P<message>)$",
        (
            example(
                "Jun 28, 2024 4:40:52 PM com.example.Cart add",
                at="2024-06-28 16:40:52.000",
                logger="com.example.Cart",
                method="add",
                message="",
            ),
        ),
        second=r"^(?P<level>SEVERE|WARNING|INFO|CONFIG|FINE|FINER|FINEST): {message}",
    ),
    Format(
        "hadoop",
        r"^(?P<date>[0-9]{6}) (?P<time>[0-9]{6}) (?P<thread>[0-9]+) {level} (?P<logger>[\w.$-]+): {message}",
        (
            example(
                "081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1 terminating",
                at="2008-11-09 20:36:15.000",
                thread="148",
                level="INFO",
                logger="dfs.DataNode$PacketResponder",
                message="PacketResponder 1 terminating",
            ),
        ),
    ),
    Format(
        "log4j",
        r"^{stamp} +{level} +(?P<logger>[\w.$-]+): {message}",
        (
            example(
                "17/06/09 20:10:40 INFO executor.CoarseGrainedExecutorBackend: Registered signal handlers",
                at="2017-06-09 20:10:40.000",
                level="INFO",
                logger="executor.CoarseGrainedExecutorBackend",
                message="Registered signal handlers",
            ),
        ),
    ),
)

_PYTHON = (
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
)

_GO = (
    Format(
        "klog",
        r"^{letter}(?P<date>[0-9]{4}) (?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}) +(?P<thread>[0-9]+) "
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
)

_RUST_AND_NET = (
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
        r"^(?P<level>trce|dbug|info|warn|fail|crit): (?P<logger>[\w.`]+)\[[0-9]+\](?P<message>)$",
        (example("fail: Shop.Cart.CartService[13]", level="ERROR", logger="Shop.Cart.CartService", message=""),),
        second=r"^ {6}{message}",
    ),
)

_NODE = (
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
        r"^(?:{stamp} )?(?:\[(?P<logger>[\w.-]+)\] )?(?P<level>error|warn|info|http|verbose|debug|silly): {message}",
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
)

_SERVERS = (
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
        r"\[(?P<date>[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}):(?P<time>[0-9:]{8}) (?P<zone>[+-][0-9]{4})\] "
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
        r"^\[[A-Z][a-z]{2} (?P<date>[A-Z][a-z]{2} [0-9]{2}) (?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?) "
        r"(?P<year>[0-9]{4})\] \[(?:(?P<logger>\w*):)?(?P<level>[a-z]+[0-9]?)\] (?:\[pid (?P<thread>[0-9]+[^\]]*)\] )?"
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
        r"^{stamp} \[(?P<thread>[0-9]+)(?:-[0-9]+)?\] (?:(?P<logger>\S+@\S+) )?"
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
        r"^(?:{stamp}|(?P<day>[0-9]{6}) +(?P<clock>[0-9]{1,2}:[0-9]{2}:[0-9]{2})) (?:(?P<thread>[0-9]+) )?"
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
        "redis",
        r"^(?P<thread>[0-9]+:[XCSM]) {stamp} (?P<level>[.*#-]) {message}",
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
)

_SYSTEMS = (
    Format(
        "syslog rfc 5424",
        r"^<(?P<priority>[0-9]{1,3})>[0-9] {stamp} \S+ (?P<logger>\S+) (?P<thread>\S+) (?P<method>\S+) "
        r"(?:-|(?:\[[^\]]*\])+) ?\x{FEFF}?{message}",
        (
            example(
                "<34>1 2003-10-11T22:14:15.003Z host1 su 77 ID47 - 'su root' failed for lonvick on /dev/pts/8",
                at="2003-10-11 22:14:15.003",
                level="CRITICAL",
                logger="su",
                thread="77",
                method="ID47",
                message="'su root' failed for lonvick on /dev/pts/8",
            ),
        ),
    ),
    Format(
        "syslog",
        r"^(?:<(?P<priority>[0-9]{1,3})>)?(?:{syslog}) \S+ (?P<logger>[^\s:\[]+(?: [^\s:\[]+)?)"
        r"(?:\[(?P<thread>[0-9]+)\])?: {message}",
        (
            example(
                "<11>Jun 28 16:40:52 shop1 sshd[24200]: Invalid user webmaster from 173.234.31.186",
                at="06-28 16:40:52.000",
                level="ERROR",
                logger="sshd",
                thread="24200",
                message="Invalid user webmaster from 173.234.31.186",
            ),
        ),
    ),
    Format(
        "syslog with iso time",
        r"^{stamp} [\w.-]+ (?P<logger>[\w./()@-]+)(?:\[(?P<thread>[0-9]+)\])?: {message}",
        (
            example(
                "2024-06-28T16:40:52.234567+02:00 shop1 cron[77]: (root) CMD (run-parts)",
                at="2024-06-28 14:40:52.234",
                logger="cron",
                thread="77",
                message="(root) CMD (run-parts)",
            ),
        ),
    ),
    Format(
        "blue gene",
        r"^\S+ {epoch} [0-9.]{10} \S+ [0-9-]{10}-[0-9.]+ \S+ \S+ (?P<logger>\w+) "
        r"(?P<level>INFO|WARNING|ERROR|SEVERE|FATAL|FAILURE) {message}",
        (
            example(
                "- 1117838570 2005.06.03 R02-M1-N0-C:J12-U11 2005-06-03-15.42.50.675872 R02-M1-N0-C:J12-U11 RAS KERNEL "
                "INFO instruction cache parity error corrected",
                at="2005-06-03 22:42:50.000",
                logger="KERNEL",
                level="INFO",
                message="instruction cache parity error corrected",
            ),
        ),
    ),
    Format(
        "supercomputer syslog",
        r"^\S+ {epoch} [0-9.]{10} \S+ [A-Z][a-z]{2} +[0-9]+ [0-9:]{8} \S+ (?:(?P<logger>[^\s:\[]+(?: [^\s:\[]+)?)"
        r"(?:\[(?P<thread>[0-9]+)\])?: )?{message}",
        (
            example(
                "- 1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228 crond(pam_unix)[2915]: session closed",
                at="2005-11-09 20:01:01.000",
                logger="crond(pam_unix)",
                thread="2915",
                message="session closed",
            ),
        ),
    ),
    Format(
        "cluster events",
        r"^[0-9]+ (?P<thread>\S+) (?P<logger>\S+) \S+ {epoch} [01] {message}",
        (
            example(
                "134681 node-246 unix.hw state_change.unavailable 1077804742 1 Component State Change: not available",
                at="2004-02-26 14:12:22.000",
                thread="node-246",
                logger="unix.hw",
                message="Component State Change: not available",
            ),
        ),
    ),
    Format(
        "windows servicing",
        r"^{stamp}, (?P<level>Info|Warning|Error) +(?P<logger>[A-Z]+) +{message}",
        (
            example(
                "2016-09-28 04:30:31, Info                  CSI    00000001 WcpInitialize called",
                at="2016-09-28 04:30:31.000",
                level="INFO",
                logger="CSI",
                message="00000001 WcpInitialize called",
            ),
        ),
    ),
    Format(
        "android",
        r"^(?P<date>[0-9]{2}-[0-9]{2}) (?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}) +(?P<thread>[0-9]+ +[0-9]+) "
        r"{letter} (?P<logger>[^:]*?) *: {message}",
        (
            example(
                "03-17 16:13:38.811  1702  2395 D WindowManager: printFreezingDisplayLogs opening app",
                at="03-17 16:13:38.811",
                thread="1702  2395",
                level="DEBUG",
                logger="WindowManager",
                message="printFreezingDisplayLogs opening app",
            ),
        ),
    ),
    Format(
        "pipes",
        r"^(?P<date>[0-9]{8})-(?P<time>[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,3})\|(?P<logger>[^|]*)\|(?P<thread>[^|]*)\|{message}",
        (
            example(
                "20171223-23:21:0:125|Step_LSC|30002312|onStandStepChanged 3579",
                at="2017-12-23 23:21:00.125",
                logger="Step_LSC",
                thread="30002312",
                message="onStandStepChanged 3579",
            ),
        ),
    ),
    Format(
        "proxifier",
        r"^\[(?P<date>[0-9]{2}\.[0-9]{2}) (?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})\] (?P<logger>.+?) - {message}",
        (
            example(
                "[10.30 16:49:06] chrome.exe - proxy.example.edu:5070 open through proxy HTTPS",
                at="10-30 16:49:06.000",
                logger="chrome.exe",
                message="proxy.example.edu:5070 open through proxy HTTPS",
            ),
        ),
    ),
)

_LOOSE = (
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
        r"^\[?{when}\]? +\[(?P<thread>{brackets})\] +\[?{level}\]?:? +{message}",
        (
            example(
                "2024-06-28 16:40:52.234 [worker 3] ERROR payment refused",
                at="2024-06-28 16:40:52.234",
                thread="worker 3",
                level="ERROR",
                message="payment refused",
            ),
        ),
        loose=True,
    ),
    Format(
        "time, level, text",
        r"^\[?{stamp}\]?(?: +| ?[|;,-] ?|\t)[\[(<]?{level}[\])>]? *(?:[:|;,-]| |\t) *{message}",
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
        "time of day, level, text",
        r"^\[?{clock}\]?(?: +| ?[|;,-] ?|\t)[\[(<]?{level}[\])>]? *(?:[:|;,-]| |\t) *{message}",
        (example("16:40:52 ERROR payment refused", clock="16:40:52.000", level="ERROR", message="payment refused"),),
        loose=True,
    ),
    Format(
        "level, time, text",
        r"^\[?{level}\]?:? *(?:[|;,-] ?)?\[?{stamp}\]?(?:[:|;,-]| |\t)+{message}",
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
        r"^\[?{epoch}\]?[ ,|\t]+(?:\[?{level}\]?:?[ ,|\t]+)?{message}",
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
        "time, text",
        r"^{stamp}[ ,:;|\t-]*(?P<message>(?:[^0-9].*)?)$",
        (
            example(
                "2024/06/28 16:40:52 listening on :8080",
                at="2024-06-28 16:40:52.000",
                message="listening on :8080",
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
        "syslog time, text",
        r"^{syslog} {message}",
        (
            example(
                "Jun 28 16:40:52 last message repeated 2 times",
                at="06-28 16:40:52.000",
                message="last message repeated 2 times",
            ),
        ),
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
        r"^[\[<]?(?P<level>TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|SEVERE)[\]>]?:? +{message}",
        (example("[ERROR] payment refused", level="ERROR", message="payment refused"),),
        loose=True,
    ),
)

FORMATS: tuple[Format, ...] = (
    LO2,
    *_OBJECTS,
    *_JVM,
    *_PYTHON,
    *_GO,
    *_RUST_AND_NET,
    *_NODE,
    *_SERVERS,
    *_SYSTEMS,
    *_LOOSE,
)
