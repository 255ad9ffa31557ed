"""Husky: hooks are files of the work tree that everybody shares, called by generated ones.

It sets `core.hooksPath`: since version 9 to `.husky/_`, whose scripts it writes anew with each installation of
packages, and which run the files of the folder above with `sh -e`; from version 5 to 8 to `.husky`, whose files git
runs itself. Oakum stands as a block of lines at the beginning of such a file.
Source: https://github.com/typicode/husky, husky and index.js of versions 9.1 and 8.0.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from ..errors import HookError
from .files import read, remove, runs, shown, write
from .place import Place
from .plain import Folder, Report
from .script import has_block, with_block, without_block

_SHELL = re.compile(rb"(?!#!)|#!.*\b(?:sh|bash|dash|ksh|zsh)\b")


@dataclass(frozen=True, slots=True)
class Husky:
    """The files of a work tree that husky calls. `generated`: by scripts of its own, as since version 9."""

    place: Place
    folder: Folder
    generated: bool

    def file(self, name: str) -> str:
        """The file that everybody shares."""
        return os.path.join(os.path.dirname(self.place.hooks) if self.generated else self.place.hooks, name)

    def install(self, name: str, program: str) -> None:
        """Put oakum at the beginning of a hook, which is made where there is none. It is taken from PATH there."""
        path = self.file(name)
        self.place.require(path)
        content = read(path, whole=True)
        if os.path.islink(path) or not (self.generated or _SHELL.match(content or b"")):
            raise HookError(f"{shown(path)} is no script of a shell that oakum could stand in: call `oakum` from it")
        text = with_block(content or b"", name)
        if text != content:
            write(path, text, mode=0o755 if content is None else os.stat(path).st_mode & 0o7777)

    def uninstall(self, name: str) -> Report | None:
        """Take the lines out; a file that was made for them goes, too."""
        path = self.file(name)
        content = read(path, whole=True) or b""
        if not has_block(content):
            return None
        self.place.require(path)
        rest = without_block(content)
        if rest:
            write(path, rest, mode=os.stat(path).st_mode & 0o7777)
        else:
            remove(path)
        return Report(name, True, (f"taken out: {shown(path)}",))

    def state(self, name: str) -> Report | None:
        """Whether husky calls oakum."""
        path, caller = self.file(name), os.path.join(self.place.hooks, name)
        if not has_block(read(path) or b""):
            return None
        called, lines = self.folder.called("")
        lines.append("husky calls it; the file is shared, so that oakum is taken from PATH")
        if not runs(caller):
            lines.append(f"git passes over {shown(caller)}, which is not there or not executable: install husky again")
        ok = called and runs(caller)
        return Report(name, ok, ("in force" if ok else "NOT in force", f"at {shown(path)}", *lines))


def husky(place: Place, folder: Folder) -> Husky | None:
    """Husky, where it is in charge of a repository's hooks."""
    for generated, scripts in ((True, place.hooks), (False, os.path.join(place.hooks, "_"))):
        own = any(os.path.isfile(os.path.join(scripts, name)) for name in ("h", "husky.sh"))
        if own and os.path.basename(scripts) == "_" and place.holds(scripts):
            return Husky(place, folder, generated)
    return None
