"""Where a user's files lie: the XDG base directories, and what macOS and Windows have for them.

(The package platformdirs knows this too, and takes 15 ms to import at each start.)
"""

from __future__ import annotations

import os
import sys


def cache_folder() -> str:
    """Of what can be made anew; empty where there is no such place."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches")
    else:
        base = _xdg("XDG_CACHE_HOME", home, ".cache")
    return os.path.join(base, "oakum") if os.path.isabs(base) else ""


def config_folder() -> str:
    """Of the user's own configuration, on macOS as on Linux; empty where there is no such place."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("APPDATA") or os.path.join(home, "AppData", "Roaming")
    else:
        base = _xdg("XDG_CONFIG_HOME", home, ".config")
    return os.path.join(base, "oakum") if os.path.isabs(base) else ""


def state_folder() -> str:
    """Of records that nothing else has; empty where there is no such place."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    else:
        base = _xdg("XDG_STATE_HOME", home, os.path.join(".local", "state"))
    return os.path.join(base, "oakum") if os.path.isabs(base) else ""


def _xdg(variable: str, home: str, otherwise: str) -> str:
    given = os.environ.get(variable, "")
    return given if os.path.isabs(given) else os.path.join(home, otherwise)
