"""Fixtures for push situations: the servers, what every world begins with, and the world of a case."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from remotes import Servers, serving
from scanning import Fresh
from world import ALGORITHMS, Beginning, World


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory, caches: Path) -> Iterator[Servers]:
    """Of all that lies below the folder of the tests."""
    with serving(tmp_path_factory.getbasetemp(), caches) as made:
        yield made


@pytest.fixture(scope="session")
def beginnings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Beginning]:
    """By the algorithm of their object ids."""
    made = (Beginning.create(tmp_path_factory.mktemp(algorithm), algorithm) for algorithm in ALGORITHMS)
    return {beginning.algorithm: beginning for beginning in made}


@pytest.fixture
def world(
    tmp_path: Path,
    servers: Servers,
    caches: Path,
    beginnings: dict[str, Beginning],
    fresh: Fresh,
    request: pytest.FixtureRequest,
) -> World:
    """One of the protocol and the algorithm of a case."""
    given = request.node.callspec.params
    secret = fresh() if given["planted"] else b""
    beginning = beginnings[given["algorithm"]]
    return World(tmp_path, servers, caches, protocol=given["protocol"], beginning=beginning, secret=secret)
