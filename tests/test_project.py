"""The project's own settings agree with each other."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import yaml

PROJECT = Path(__file__).parents[1]


def test_a_commit_is_checked_by_the_commands_of_make_lint_and_nothing_is_downloaded():
    settings = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())
    (source,) = settings["repos"]
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    commands = [line.removeprefix("\t@$(BIN)/") for line in recipe[1].splitlines()]
    assert source["repo"] == "local"
    assert [hook["entry"].removeprefix(".venv/bin/") for hook in source["hooks"]] == commands


def test_every_package_that_is_required_has_a_tested_version():
    pinned = {_name(line) for line in (PROJECT / "constraints.txt").read_text().splitlines() if line[0] != "#"}
    required = {_name(line) for line in importlib.metadata.requires("lo2core")} - {"lo2core"}
    assert required - pinned == set()


def test_the_console_script_is_the_command_line():
    script = Path(sys.executable).with_name("lo2core")
    by_script = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
    by_module = subprocess.run([sys.executable, "-m", "lo2core", "--help"], capture_output=True, text=True, check=True)
    assert by_script.stdout == by_module.stdout


def _name(requirement: str) -> str:
    return re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-")
