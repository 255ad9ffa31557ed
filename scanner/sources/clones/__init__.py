"""Bare clones of repositories of others, kept in a folder of a limited size, and brought up to date.

Git runs with settings of its own (`network.py`): no hooks, no submodules, no LFS, no redirects, no protocol but that of
the URL, and nobody is asked for a password at a terminal. Every ref is fetched, those of pull requests included; what
was force-pushed away stays in the clone, unreachable, and is searched as such.
"""

from __future__ import annotations

from .folder import Clones
from .reach import Clone, CloneError, Reach
from .refs import Advertised, advertised, asked

__all__ = ["Advertised", "Clone", "CloneError", "Clones", "Reach", "advertised", "asked"]
