"""The transform Worker's modules by themselves, on Node's WebCrypto: units, and the vectors of all endpoints."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parent / "media_pages" / "units"


@pytest.mark.parametrize("file", sorted(UNITS.glob("*.test.js")), ids=lambda file: file.name)
def test_units(file: Path) -> None:
    result = subprocess.run(["node", "--test", str(file)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
