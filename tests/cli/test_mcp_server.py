"""The server for assistants, used by the SDK's own client: all tools, what is refused, what is marked as data."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from lo2core.cli.mcp_server import DATA, server
from lo2core.pipeline.commands import Mcp


def test_an_assistant_uses_every_tool(
    trained_runs: Path, sample_logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(trained_runs, tmp_path / "project")
    monkeypatch.setenv("LO2_MODELS", str(folder / "models"))
    run = sorted(path for path in sample_logs.iterdir() if path.is_dir())[-1]
    command = Mcp(output_dir=folder / "ws", root=(sample_logs,), write=True)

    async def use() -> None:
        async with Client(server(command)) as client:

            async def ask(tool: str, **arguments: Any) -> tuple[bool, Any]:
                result = await client.call_tool(tool, arguments)
                return bool(result.is_error), result.structured_content or result.content[0].text

            assert (await ask("load", path="/etc", sample="bad"))[0]
            failed, loaded = await ask("load", path=str(run), sample="today")
            assert not failed, loaded
            failed, scored = await ask("score", model="lo2_nn")
            assert scored == {"predictions": "lo2_nn_predictions", "fitness": "The model fits these logs."}
            failed, scored = await ask("score", model="lo2_nn", sample="today")
            assert (
                scored["predictions"] == "today/lo2_nn_predictions" and "The model fits these logs" in scored["fitness"]
            )
            failed, listed = await ask("list_artefacts")
            assert ("prediction", "lo2_nn_predictions") in {(one["kind"], one["name"]) for one in listed["artefacts"]}
            for tool, arguments in {
                "explain": {"predictions": "lo2_nn_predictions"},
                "search_lines": {"text": "ERROR", "limit": 3},
                "compare": {"first": "lo2_nn_predictions", "second": "today/lo2_nn_predictions"},
            }.items():
                failed, answer = await ask(tool, **arguments)
                assert not failed, answer
                assert answer["note"] == DATA and answer["text"]
            failed, sentence = await ask("explain", predictions="none")
            assert failed and "does not exist" in sentence

    asyncio.run(use())


def test_without_write_no_tool_writes(tmp_path: Path) -> None:
    async def names() -> set[str]:
        async with Client(server(Mcp(output_dir=tmp_path / "ws"))) as client:
            return {tool.name for tool in (await client.list_tools()).tools}

    assert asyncio.run(names()) == {"list_artefacts", "explain", "search_lines", "compare"}
