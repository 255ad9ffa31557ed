"""Lefthook: it writes the files in the folder of hooks itself, again and again; what they run stands in its settings.

Oakum goes into the local settings, `lefthook-local.yml`, which are a user's own, and into a script beside them. It has
to be a script: a command (`run`) of a pre-push hook is left out where lefthook sees no changed files, as for a tag, or
for a branch other than the one that is checked out. Lefthook writes git's arguments unquoted into a line for `sh -c`;
as the text of a here-document the shell does not read them.
Source: https://github.com/evilmartians/lefthook, docs/configuration, internal/config and internal/run of version 2.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from .files import read, remove, runs, shown, write
from .place import HOOKS, Place
from .plain import Folder, Report
from .script import hook, reads_input

_SETTINGS = ("lefthook", ".lefthook", ".config/lefthook")
_ENDINGS = (".yml", ".yaml", ".json", ".jsonc", ".toml")
_MARK = b"# Written by `oakum hook install`; `oakum hook uninstall` takes it out.\n"
_LEFTHOOK = b"LEFTHOOK"
"""Stands in each script that lefthook writes."""
_SCRIPT = "oakum"
_ENTRY = rb"""^["'\[ ]*%s\b(?:.*\n(?![A-Za-z"'\[]))*?.*\boakum\b"""
"""A hook, and oakum before the next one begins (which in JSON cannot be told)."""
_ARGUMENTS = b"""\
      args: |-
        "$(cat <<'OAKUM'
        {1}
        OAKUM
        )" "$(cat <<'OAKUM'
        {2}
        OAKUM
        )"
"""


@dataclass(frozen=True, slots=True)
class Lefthook:
    """The local settings of a work tree in which lefthook is used."""

    place: Place
    folder: Folder

    def scripts(self, name: str) -> Folder:
        """Where lefthook looks for a user's own scripts of a hook."""
        return Folder(os.path.join(self.place.work_tree, ".lefthook-local", name), self.folder.environment)

    def settings(self) -> str:
        """The local settings that lefthook reads, or would."""
        return next(_settings(self.place, "-local"), os.path.join(self.place.work_tree, "lefthook-local.yml"))

    def install(self, name: str, program: str) -> Report | None:
        """Put oakum into the local settings. Where they are somebody's own, a report has the lines to add."""
        scripts, settings = self.scripts(name), self.settings()
        self.place.require(scripts.path)
        self.place.require(settings)
        content = read(settings)
        if content is None or _ours(content):
            write(settings, _text({*_names(content or b""), name}), mode=0o644)
        elif name not in _names(content):
            why = f"not installed: {shown(settings)} has settings of your own, and nothing was changed"
            todo = f"add these lines to it, then run `oakum hook install {name}` again:"
            return Report(name, False, (why, todo, _text([name], mark=b"").decode()))
        scripts.put(_SCRIPT, hook(name, program))
        return None

    def uninstall(self, name: str) -> Report | None:
        """Take oakum out; the local settings and the folder of scripts go, too, where nothing else is in them."""
        scripts, settings = self.scripts(name), self.settings()
        content = read(settings) or b""
        names = _names(content)
        if _ours(content):
            names.discard(name)
            if names:
                write(settings, _text(names), mode=0o644)
            else:
                remove(settings)
        elif name in names:
            line = f"not taken out: take these lines out of {shown(settings)} first, they call a script that then goes"
            return Report(name, False, (line, _text([name], mark=b"").decode()))
        report = scripts.uninstall(_SCRIPT)
        with contextlib.suppress(OSError):  # somebody else's scripts are there
            os.removedirs(scripts.path)
        return report and replace(report, name=name)

    def state(self, name: str) -> Report | None:
        """Whether lefthook calls oakum."""
        settings, caller = self.settings(), os.path.join(self.place.hooks, name)
        report = self.scripts(name).state(_SCRIPT)
        entered = name in _names(read(settings) or b"")
        if not report and not entered:
            return None
        ok, lines = report.ok if report else False, list(report.lines[1:] if report else ())
        if not report:
            lines.append("the script that lefthook is to call is gone: oakum hook install")
        if not entered:
            lines.append(f"{shown(settings)} does not name it: oakum hook install")
        if _LEFTHOOK not in (read(caller) or b"") or not runs(caller):
            ok = False
            lines.append(f"lefthook has not written {shown(caller)} yet: lefthook install")
        lines.append(f"lefthook calls it, by {shown(settings)}; keep that and .lefthook-local out of git")
        ok = ok and entered
        return Report(name, ok, ("in force" if ok else "NOT in force", *lines))


def lefthook(place: Place, folder: Folder) -> Lefthook | None:
    """Lefthook, where a work tree has settings for it."""
    used = place.work_tree and next((path for own in ("", "-local") for path in _settings(place, own)), "")
    return Lefthook(place, folder) if used else None


def _settings(place: Place, own: str) -> Iterator[str]:
    """The settings that are there, the one that lefthook reads first."""
    for ending in _ENDINGS:
        for name in _SETTINGS:
            path = os.path.join(place.work_tree, name + own + ending)
            if os.path.lexists(path):
                yield path


def _names(content: bytes) -> set[str]:
    """The hooks of which settings name oakum as a script."""
    return {name for name in HOOKS if re.search(_ENTRY % re.escape(name).encode(), content, re.MULTILINE)}


def _ours(content: bytes) -> bool:
    """Whether settings are what oakum wrote, and nothing else."""
    return content == _text(_names(content))


def _text(names: Iterable[str], *, mark: bytes = _MARK) -> bytes:
    """Settings that name oakum in some hooks."""
    entries = (
        b"%s:\n  scripts:\n    %s:\n      use_stdin: %s\n%s"
        % (
            name.encode(),
            _SCRIPT.encode(),
            b"true" if reads_input(name) else b"false",
            _ARGUMENTS if name == "pre-push" else b"",
        )
        for name in sorted(names)
    )
    return mark + b"".join(entries)
