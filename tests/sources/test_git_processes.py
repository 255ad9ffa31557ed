"""How the end of a program is waited for."""

from __future__ import annotations

import subprocess
import sys

import pytest
from oakum.scanner.sources import git
from oakum.scanner.sources.git import Popen


@pytest.mark.parametrize("heard", [True, False], ids=["the system tells it", "the system does not"])
def test_the_end_of_a_program_is_waited_for(heard: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until its time is up; with its exit status, as often as one asks."""

    def refused(_pid: int) -> int:
        raise OSError("no descriptor is left")

    if not heard:
        monkeypatch.setattr(git.os, "pidfd_open", refused, raising=False)
    with Popen([sys.executable, "-c", "import sys; sys.stdin.read(); sys.exit(3)"], stdin=subprocess.PIPE) as program:
        for limit in (0, 0.05):
            with pytest.raises(subprocess.TimeoutExpired):
                program.wait(limit)
        assert program.stdin is not None
        program.stdin.close()
        assert [program.wait(60), program.wait(0), program.wait()] == [3, 3, 3]
