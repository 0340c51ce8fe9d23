"""Logs of operating systems, devices and supercomputers."""

from __future__ import annotations

from lo2core.load.formats.format import Format, example

SYSTEMS = (
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
        r"^(?:<(?P<priority>[0-9]{1,3})>)?(?:{syslog}) \S+ +(?:-- )?(?P<logger>[^\s:\[]+(?: [^\s:\[]+)?)"
        r"(?:\[(?P<thread>[0-9]+)\])?(?: \([^)]*\))?: {message}",
        (
            example(
                "<11>Jun 28 16:40:52 shop1 sshd[24200]: Invalid user webmaster from 173.234.31.186",
                at="06-28 16:40:52.000",
                level="ERROR",
                logger="sshd",
                thread="24200",
                message="Invalid user webmaster from 173.234.31.186",
            ),
            example(
                "Jun 28 16:40:52 shop1  -- root[1]: ROOT LOGIN ON tty2",
                at="06-28 16:40:52.000",
                logger="root",
                thread="1",
                message="ROOT LOGIN ON tty2",
            ),
        ),
    ),
    Format(
        "syslog without host",
        r"^<(?P<priority>[0-9]{1,3})>{syslog} (?P<logger>[^\s:\[]+)(?:\[(?P<thread>[0-9]+)\])?: {message}",
        (
            example(
                "<132>Jun 28 16:40:52 haproxy[8]: Server shop/cart1 is DOWN",
                at="06-28 16:40:52.000",
                level="WARNING",
                logger="haproxy",
                thread="8",
                message="Server shop/cart1 is DOWN",
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
        "linux audit",
        r"^(?:node=\S+ )?type=(?P<logger>\S+) msg=audit\({epoch}:(?P<correlation_id>[0-9]+)\): *{message}",
        (
            example(
                'type=SYSCALL msg=audit(1719592852.234:24287): arch=c000003e syscall=2 success=no exit=-13 comm="cat"',
                at="2024-06-28 16:40:52.234",
                logger="SYSCALL",
                correlation_id="24287",
                message='arch=c000003e syscall=2 success=no exit=-13 comm="cat"',
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
            example(
                "20171223-0:0:5:7|Step_LSC|30002312|onStandStepChanged 3580",
                at="2017-12-23 00:00:05.007",
                logger="Step_LSC",
                thread="30002312",
                message="onStandStepChanged 3580",
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
