"""Options are declared once: what a command says about itself, the command line reads back as the same command."""

from __future__ import annotations

import random
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lo2core.base.errors import InputError
from lo2core.cli.options import parse
from lo2core.detect.recipe import Recipe
from lo2core.detect.vectorizer import WEIGHTINGS
from lo2core.load.plan import LoadOptions
from lo2core.pipeline.commands import (
    COMMANDS,
    Artefacts,
    Command,
    Compare,
    Dashboard,
    Delete,
    Demo,
    Enhance,
    Evaluate,
    Explain,
    Groups,
    Load,
    Mcp,
    Note,
    Predict,
    Rename,
    Restore,
    Run,
    Sample,
    Score,
    Search,
    Train,
    Triage,
    Trust,
    Watch,
)
from lo2core.pipeline.line_filter import LineFilter

TEXTS = ("client", "a b", "--replace", "-1", "-x y", "", "it's", '"', "$HOME", "ä€", "*", "a=b", "\\d+", "new\nline")
NAMES = tuple(text for text in TEXTS if text and not text.startswith("-"))


def some(draw: random.Random, one: Callable[[], Any], least: int = 0) -> tuple[Any, ...]:
    return tuple(one() for _ in range(draw.randint(least, 3)))


def perhaps(draw: random.Random, value: Any) -> Any:
    return draw.choice([None, value])


def number(draw: random.Random, least: float = 0.1) -> float:
    return draw.choice([least, 5.0, 1 / 3 + least, 12.5, 1e-7 + least, 90.123456789])


def load_options(draw: random.Random) -> LoadOptions:
    return LoadOptions(
        n_runs=perhaps(draw, draw.randint(1, 99)),
        services=some(draw, lambda: draw.choice(TEXTS)),
        errors_per_run=perhaps(draw, draw.randint(1, 9)),
        dup_errors=draw.random() < 0.5,
        single_error_type=perhaps(draw, draw.choice(TEXTS)),
        skip_init_lines=draw.randint(0, 5),
        window=perhaps(draw, number(draw)),
        labels=draw.choice(["names", "none", "normal"]),
        seed=draw.randint(-5, 9),
    )


def line_filter(draw: random.Random) -> LineFilter:
    values = ("runs", "test_cases", "services", "levels", "loggers", "methods", "threads", "templates")
    return LineFilter(
        text=draw.choice(TEXTS),
        regex=draw.random() < 0.5,
        match_case=draw.random() < 0.5,
        without=draw.choice(TEXTS),
        correlation_ids=some(draw, lambda: draw.choice(TEXTS)),
        exclude=some(draw, lambda: f"level={draw.choice(TEXTS)}"),
        since=perhaps(draw, "16:40"),
        until=perhaps(draw, "2024-06-28T16:40"),
        **{name: some(draw, lambda: draw.choice(TEXTS)) for name in values},
    )


def recipe(draw: random.Random) -> Recipe:
    detector, unit = draw.choice([("NearestNormal", "sequence"), ("Rarity", "event"), ("IsolationForest", "sequence")])
    weighting = perhaps(draw, draw.choice(WEIGHTINGS))
    return Recipe(detector, draw.choice(["messages", "words+requests", "-x"]), unit, weighting, number(draw, 0.0))


def command(draw: random.Random, kind: type[Command]) -> Command:
    """A command of this kind, with options drawn."""
    flip, text, path = (lambda: draw.random() < 0.5), (lambda: draw.choice(TEXTS)), (lambda: Path(draw.choice(TEXTS)))

    def named() -> dict[str, str]:
        return {"kind": draw.choice(NAMES), "name": draw.choice(NAMES)}

    loading = {
        "root": some(draw, path, 1),
        "options": load_options(draw),
        "service": perhaps(draw, text()),
        "jobs": draw.randint(1, 4),
        "default_masks": flip(),
        "save_events": flip(),
    }
    where, training = {"output_dir": path()}, {"recipe": recipe(draw), "bundle": perhaps(draw, path())}
    writing = where | {"replace": flip()}
    chosen: dict[type[Command], Callable[[], dict[str, Any]]] = {
        Load: lambda: loading | writing | {"append": flip(), "dry_run": flip(), "head": perhaps(draw, 5)},
        Enhance: lambda: writing | {"mask": some(draw, lambda: tuple(draw.choice(NAMES) for _ in range(3)))},
        Train: lambda: writing | training,
        Predict: lambda: (
            writing | {"bundle": path(), "predictions": perhaps(draw, text()), "budget": perhaps(draw, number(draw))}
        ),
        Score: lambda: loading | writing | {"bundle": path(), "predictions": perhaps(draw, text())},
        Run: lambda: loading | training | writing,
        Watch: lambda: (
            {name: loading[name] for name in ("root", "options", "service", "jobs")}
            | where
            | {"bundle": path(), "predictions": perhaps(draw, text()), "settle": number(draw)}
        ),
        Search: lambda: (
            where
            | {"wanted": line_filter(draw), "sample": perhaps(draw, text()), "limit": draw.randint(1, 99)}
            | {"skip": draw.randint(0, 9), "count": flip(), "with_secrets": flip()}
        ),
        Explain: lambda: (
            where
            | {"predictions": text(), "bundle": perhaps(draw, path())}
            | draw.choice([{"incident": text()}, {"top": draw.randint(1, 9)}])
        ),
        Groups: lambda: where | {"predictions": text(), "bundle": perhaps(draw, path()), "with_secrets": flip()},
        Triage: lambda: (
            writing
            | {"predictions": text(), "note": text(), "csv": perhaps(draw, path())}
            | draw.choice([{"incident": text()}, {"group": draw.randint(1, 9)}])
            | draw.choice([{"state": "seen"}, {"cause": text()}, {"undo": True}])
        ),
        Compare: lambda: where | {"names": some(draw, lambda: draw.choice(NAMES), 1)},
        Evaluate: lambda: (
            writing
            | {
                "detector": some(draw, text, 1),
                "items": some(draw, text, 1),
                "unit": draw.choice(["sequence", "event"]),
            }
            | {"weighting": perhaps(draw, draw.choice(WEIGHTINGS)), "budget": number(draw), "apart": some(draw, text)}
            | {"concerns": perhaps(draw, path()), "train_share": perhaps(draw, 0.3), "fault_groups": draw.randint(2, 9)}
        ),
        Artefacts: lambda: where,
        Mcp: lambda: where | {"root": some(draw, path), "write": flip()},
        Rename: lambda: where | named() | {"new_name": draw.choice(NAMES)},
        Note: lambda: where | named() | {"text": draw.choice(NAMES)},
        Delete: lambda: where | named() | {"even_if_used": flip()},
        Restore: lambda: where | {"id": perhaps(draw, draw.choice(NAMES))},
        Trust: lambda: {"bundle": Path(draw.choice(NAMES))},
        Sample: lambda: where | {"seed": draw.randint(0, 9)},
        Demo: lambda: where,
        Dashboard: lambda: ({"output_dir": perhaps(draw, path()), "port": perhaps(draw, 8501), "no_browser": flip()}),
    }
    return kind(**chosen[kind]())


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_command_reads_its_own_arguments_as_itself(kind: type[Command]) -> None:
    draw = random.Random(7)
    for _ in range(60):
        chosen = command(draw, kind)
        assert parse(chosen.arguments()) == chosen
        assert parse(shlex.split(shlex.join(chosen.arguments()))) == chosen


def test_options_with_their_default_values_are_left_out() -> None:
    assert Train(output_dir=Path("ws")).arguments() == ["train", "--output-dir", "ws"]
    assert Load(root=(Path("a"), Path("b")), output_dir=Path("ws")).arguments() == (
        ["load", "--root", "a", "b", "--output-dir", "ws"]
    )


def test_a_short_flag_for_one_service_means_the_same() -> None:
    one, several = (parse(["load", "--root", "x", flag, "client"]) for flag in ("--single-service", "--service-types"))
    assert one == several == Load(root=(Path("x"),), options=LoadOptions(services=("client",)))


def test_roots_may_be_given_together_or_one_by_one() -> None:
    assert parse(["load", "--root", "a", "b", "--root", "c"]) == Load(root=(Path("a"), Path("b"), Path("c")))


def test_a_preview_of_unspecified_length_shows_five_events() -> None:
    assert parse(["load", "--root", "a", "--head"]) == Load(root=(Path("a"),), head=5)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "arguments are required: COMMAND"),
        (["load"], "required: --root"),
        (["load", "--root", "a", "--runs", "two"], "invalid int value: 'two'"),
        (["load", "--root", "a", "--allow-duplicates", "--no-duplicates"], "not allowed with"),
        (["explain", "--predictions", "p", "--incident", "a/b", "--top", "2"], "not allowed with"),
        (["train", "--unit", "line"], "invalid choice: 'line'"),
        (["search", "x", "--skip", "-1"], "expected a whole number of at least 0, found '-1'"),
        (["search", "x", "--limit", "9" * 23], "with at most 18 digits"),
        (["trust"], "required: bundle"),
    ],
)
def test_wrong_arguments_are_told_in_one_sentence(arguments: list[str], said: str) -> None:
    with pytest.raises(InputError, match=r"See python -m lo2core.* --help\.$") as found:
        parse(arguments)
    assert said in str(found.value)


def test_only_commands_that_write_hold_their_workspace() -> None:
    writing = {Load, Score, Enhance, Train, Predict, Run, Evaluate, Demo}
    draw = random.Random(7)
    for kind in set(COMMANDS) - {Load}:
        assert command(draw, kind).writes == (kind in writing)
    assert [Load(root=(Path("a"),), dry_run=dry).writes for dry in (True, False)] == [False, True]


def test_a_command_knows_the_facts_of_its_work() -> None:
    work = Predict(output_dir=Path("ws"), bundle=Path("m/a.joblib"), predictions="p").work()
    assert (work.stage, work.output_dir, work.bundle, work.predictions) == ("predict", "ws", "m/a.joblib", "p")
    assert work.command == "python -m lo2core predict --output-dir ws --bundle m/a.joblib --predictions p"
    assert Compare(names=("a", "b")).work().predictions == ""
