"""Logs of programs on the JVM."""

from __future__ import annotations

from lo2core.load.formats.format import Format, example

JVM = (
    Format(
        "spring boot",
        # Names of the application and its group are in front of the thread, which takes 15 characters; ids of requests
        # are behind it, or in front of all with Spring Cloud Sleuth.
        r"^{stamp} +{level} +(?:\[[^,\]]*,(?P<session>[^,\]]*)(?:,[^\]]*)?\] +)?\S+ --- (?:\[[^\]]*\] ){0,2}?"
        r"\[ *(?P<thread>{brackets})\] (?:\[(?: *|(?P<correlation_id>[^ \]](?:[^\]]{0,13}|[^\]]{15,})))\] )?"
        r"(?P<logger>\S+) *: {message}",
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
            example(
                "2024-06-28T16:40:52.234Z  INFO 7 --- [cart] [           main] c.e.cart.Cart : Started",
                at="2024-06-28 16:40:52.234",
                level="INFO",
                thread="main",
                logger="c.e.cart.Cart",
                message="Started",
            ),
            example(
                "2024-06-28 16:40:52.234 ERROR [cart,6f1e42,77aa,true] 7 --- [nio-8080-exec-1] c.e.cart.Cart : Boom",
                at="2024-06-28 16:40:52.234",
                level="ERROR",
                session="6f1e42",
                thread="nio-8080-exec-1",
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
        r"^{when} +\[?{level} *\]? +(?P<logger>(?:[^\s\[\]():]|::)+)(?: +(?P<method>[^\s\[]\S*))?"
        r"(?: +\[[^\]]*\])? +- {message}",
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
        r"^{stamp} (?P<logger>[A-Za-z_$][\w$]*(?:\.[\w$]+)+)(?: (?P<method>[\w<>$]+))?(?P<message>)$",
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
    Format(
        "slf4j simple",
        r"^\[(?P<thread>{brackets})\] (?P<level>TRACE|DEBUG|INFO|WARN|ERROR) (?P<logger>[\w.$-]+) - {message}",
        (
            example(
                "[main] INFO org.acme.Cart - added 3 items",
                thread="main",
                level="INFO",
                logger="org.acme.Cart",
                message="added 3 items",
            ),
        ),
    ),
    Format(
        "dropwizard",
        r"^{level} +\[{stamp}\] (?P<logger>[\w.$-]+): {message}",
        (
            example(
                "INFO  [2024-06-28 16:40:52,234] org.acme.Cart: added 3 items",
                level="INFO",
                at="2024-06-28 16:40:52.234",
                logger="org.acme.Cart",
                message="added 3 items",
            ),
        ),
    ),
    Format(
        "jetty",
        r"^{stamp}:(?P<level>INFO|WARN|DBUG|IGNORED) ?:(?P<logger>[\w.]+):(?P<thread>[^:]*): {message}",
        (
            example(
                "2024-06-28 16:40:52.234:INFO:oejs.Server:main: jetty-9.4.51",
                at="2024-06-28 16:40:52.234",
                level="INFO",
                logger="oejs.Server",
                thread="main",
                message="jetty-9.4.51",
            ),
        ),
    ),
    Format(
        "jenkins",
        r"^{stamp}\s+\[id=(?P<thread>[0-9]+)\]\s+{level}\s+(?P<logger>[\w.$#]+): {message}",
        (
            example(
                "2024-06-28 16:40:52.234+0000 [id=31]\tINFO\thudson.WebAppMain$3#run: Jenkins is up",
                at="2024-06-28 16:40:52.234",
                thread="31",
                level="INFO",
                logger="hudson.WebAppMain$3#run",
                message="Jenkins is up",
            ),
        ),
    ),
)
