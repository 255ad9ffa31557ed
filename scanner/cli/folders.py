"""Where a user's files lie: the XDG base directories, and what macOS and Windows have for them.

(The package platformdirs knows this too, and takes 15 ms to import at each start.)
"""

from __future__ import annotations

import os
import sys


def cache_folder() -> str:
    """Of what can be made anew; empty where there is no such place."""
    return _folder("XDG_CACHE_HOME", ".cache", windows=("LOCALAPPDATA", "Local"), mac=("Library", "Caches"))


def config_folder() -> str:
    """Of the user's own configuration, on macOS as on Linux; empty where there is no such place."""
    return _folder("XDG_CONFIG_HOME", ".config", windows=("APPDATA", "Roaming"))


def state_folder() -> str:
    """Of records that nothing else has, on macOS as on Linux; empty where there is no such place."""
    return _folder("XDG_STATE_HOME", ".local", "state", windows=("LOCALAPPDATA", "Local"))


def clones_folder(given: str) -> str:
    """Of the clones of sweeps, where none is given; empty where there is no such place."""
    cache = cache_folder()
    return os.path.abspath(given or os.path.join(cache, "clones")) if given or cache else ""


def _folder(variable: str, *otherwise: str, windows: tuple[str, str], mac: tuple[str, ...] = ()) -> str:
    """Oakum's own in the folder that a variable names, or in that way from the user's home; on Windows in that which
    another variable names, or in that one of AppData."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get(windows[0]) or os.path.join(home, "AppData", windows[1])
    elif sys.platform == "darwin" and mac:
        base = os.path.join(home, *mac)
    else:
        given = os.environ.get(variable, "")
        base = given if os.path.isabs(given) else os.path.join(home, *otherwise)
    return os.path.join(base, "oakum") if os.path.isabs(base) else ""
