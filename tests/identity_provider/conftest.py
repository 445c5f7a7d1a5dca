from __future__ import annotations

from pathlib import Path

import pytest

from tests.identity_provider.site import Provider


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider(tmp_path)
