"""The parser of the command line, built from the commands and options that `pipeline.commands` declares."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from lo2core.base.arguments import Parser, add_options, parsed
from lo2core.pipeline.commands import COMMANDS, Command


def parse(argv: Sequence[str]) -> Command:
    """The command that the arguments mean; raises InputError where they mean none."""
    found = vars(parser().parse_args(argv))
    chosen: type[Command] = found.pop("command")
    return parsed(chosen, found)


@cache
def parser() -> Parser:
    """All commands and their options."""
    top = Parser(
        prog="python -m lo2core",
        description="Find anomalies in the logs of microservices. See `COMMAND --help` for the options of a command.",
    )
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        about = (command.__doc__ or "").splitlines()[0]
        one = commands.add_parser(command.stage(), help=about, description=about)
        add_options(one, command)
        one.set_defaults(command=command)
    return top
