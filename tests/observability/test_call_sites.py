"""How the servers log: constant messages, codes from one set, all of it documented."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from perc_server.call_processing.counts import CallProcessingCounts
from perc_server.identity_provider.counts import IdentityProviderCounts
from perc_server.media_distributor.counts import MediaDistributorCounts
from perc_server.observability.codes import LogCode
from perc_server.observability.metrics import Metrics

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "backend" / "perc_server"
MODULES = [path for path in sorted(SERVER.rglob("*.py")) if SERVER / "observability" not in path.parents]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")


def calls(path: Path) -> Iterator[ast.Call]:
    """Those that write a log line: their first argument is a `LogCode`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.args[0]).startswith("LogCode."):
            yield node


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SERVER)))
def test_a_message_is_a_constant_so_that_every_value_is_rendered(path: Path) -> None:
    for call in calls(path):
        message = call.args[1]
        assert isinstance(message, ast.Constant), ast.unparse(call)
        assert str(message.value).count("%") == len(call.args) - 2, ast.unparse(call)


def test_every_code_is_used() -> None:
    used = {ast.unparse(call.args[0]).removeprefix("LogCode.") for path in SERVER.rglob("*.py") for call in calls(path)}
    assert used == set(LogCode.__members__)


def test_nothing_else_writes_to_logging_or_prints() -> None:
    for path in MODULES:
        text = path.read_text("utf-8")
        assert "import logging" not in text, path
        assert not re.search(r"\bprint\(", text) or path.name == "demo.py", path


def test_every_code_is_documented() -> None:
    assert [code for code in LogCode if f"`{code}`" not in ARCHITECTURE] == []


@pytest.mark.parametrize("counts", [MediaDistributorCounts(), CallProcessingCounts(), IdentityProviderCounts()])
def test_every_metric_is_documented(
    counts: MediaDistributorCounts | CallProcessingCounts | IdentityProviderCounts,
) -> None:
    metrics = Metrics()
    counts.show(metrics)
    samples = [line.partition("{") for line in metrics.exposition()[0].decode().splitlines() if line[0] != "#"]
    names = {name.split()[0] for name, _, _ in samples}
    assert len(names) > 10
    missing = [name for name in names if f"`{name.partition('_')[2].partition('_')[2]}`" not in ARCHITECTURE]
    assert sorted(missing) == []
