"""Azurite, once for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from azurite import Azurite, missing, running


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """The server, over https; without it a test is skipped."""
    if reason := missing():
        pytest.skip(reason)
    with running(tmp_path_factory.mktemp("azurite")) as server:
        yield server
