"""The catalogue of log formats, the most specific ones first: of formats that explain as many lines, the first wins.

`docs/formats.md` lists them; it is made from this module.
"""

from __future__ import annotations

from lo2core.load.formats.families.cloud import CLOUD
from lo2core.load.formats.families.jvm import JVM
from lo2core.load.formats.families.loose import LOOSE
from lo2core.load.formats.families.native import GO, RUST_AND_NET
from lo2core.load.formats.families.objects import OBJECTS
from lo2core.load.formats.families.proxies import PROXIES
from lo2core.load.formats.families.python import PYTHON
from lo2core.load.formats.families.scripts import NODE, RUBY_PHP_ELIXIR
from lo2core.load.formats.families.servers import SERVERS
from lo2core.load.formats.families.systems import SYSTEMS
from lo2core.load.formats.format import Format, example
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

FORMATS: tuple[Format, ...] = (
    LO2,
    *OBJECTS,
    *JVM,
    *PYTHON,
    *GO,
    *RUST_AND_NET,
    *NODE,
    *RUBY_PHP_ELIXIR,
    *CLOUD,
    *PROXIES,
    *SERVERS,
    *SYSTEMS,
    *LOOSE,
)
