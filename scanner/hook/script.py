"""The shell scripts that git calls: what oakum writes into a hook, and how it knows what it wrote.

POSIX sh, as git runs them on every platform (on Windows with the sh that it brings along). Where no other hook is
chained behind oakum, no further program is started, and standard input is oakum's own. What a path holds is never read
by the shell: it stands in single quotes.

A script names its form in its second line, with a digest of what follows: a script that somebody changed is not ours
any more, and is neither replaced nor deleted.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass

from .files import shown

FORM = 1
"""Of the scripts. One of a lower form is replaced by `oakum hook install`."""

FORMER = ".before-oakum"
"""Behind the name of a hook that was there before, and is called by ours."""

_HEAD = re.compile(rb"#!/bin/sh\n# oakum hook (\d{1,4}) ([0-9a-f]{16})\n")
_PROGRAM = re.compile(rb"^  for oakum_program in '((?:[^']|'\\'')*)' oakum; do$", re.MULTILINE)
_BLOCK = re.compile(
    rb"^# oakum hook \d{1,4} begins(?P<made>, as does this file)?\. .*?^# oakum hook ends\n", re.MULTILINE | re.DOTALL
)
_BEGINNING = re.compile(rb"(?:#!.*\n)?(?:(?:[ \t]*(?:#.*)?\n)*[ \t]*(?:\.|source)[ \t].*husky\.sh.*\n)?")
_SHEBANG = b"#!/bin/sh\n"


@dataclass(frozen=True, slots=True)
class Ours:
    """A script that oakum wrote: its form, whether it searches or only calls another hook, the program that it calls
    (empty: one on PATH), and whether nobody changed it."""

    form: int
    searches: bool
    program: str
    intact: bool


def recognised(content: bytes) -> Ours | None:
    """What oakum wrote; None for a script of somebody else."""
    head = _HEAD.match(content)
    if not head:
        return None
    program = _PROGRAM.search(content)
    path = os.fsdecode(program[1].replace(b"'\\''", b"'")) if program else ""
    return Ours(int(head[1]), b"\noakum_search() {\n" in content, path, _digest(content[head.end() :]) == head[2])


# --- whole scripts --------------------------------------------------------------------------------------------------


def hook(name: str, program: str) -> bytes:
    """The script of a hook: oakum, and where that lets it pass, the hook that was there before, with the same input."""
    former = b"former=${0%%[\\\\/]*}/%s\n" % os.fsencode(name + FORMER)
    return _signed(_ABOUT + _search(name, program) + former + _in_turn(name))


def hook_for_all(name: str, program: str) -> bytes:
    """The same for all repositories of a user: after oakum comes the repository's own hook."""
    return _signed(_ABOUT + _search(name, program) + _own(name) + _in_turn(name))


def forwarder(name: str) -> bytes:
    """A hook for all repositories of a user, which calls the repository's own: what brings the one hides the other."""
    return _signed(_ABOUT + _own(name) + b'[ ! -x "$former" ] || exec "$former" "$@"\n')


def _signed(text: bytes) -> bytes:
    return _SHEBANG + b"# oakum hook %d %s\n" % (FORM, _digest(text)) + text


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:16].encode("ascii")


_ABOUT = b"# Written by `oakum hook install`; `oakum hook uninstall` takes it out, and puts back what was here.\n"


def _own(name: str) -> bytes:
    """Finds the repository's own hook. Git runs hooks at the top of the work tree, or says where its directory is."""
    return b"""\
if [ -z "$GIT_DIR" ] && [ -d .git ]; then former=.git; else former=$(git rev-parse --git-common-dir); fi
former=${former:+$former/hooks/%s}
[ ! "$former" -ef "$0" ] || former=
""" % os.fsencode(name)


def _in_turn(name: str) -> bytes:
    """Calls oakum, then the former hook. A variable of the shell keeps what git sends: it holds no NUL byte."""
    if not reads_input(name):
        return b'oakum_search "$@" && if [ -x "$former" ]; then exec "$former" "$@"; fi\n'
    return b"""\
if [ -x "$former" ]; then
  oakum_given=$(cat && echo .)
  printf %s "${oakum_given%.}" | oakum_search "$@" && printf %s "${oakum_given%.}" | "$former" "$@"
else
  oakum_search "$@"
fi
"""


def reads_input(name: str) -> bool:
    """Whether git tells a hook something on its standard input."""
    return name != "pre-commit"


def _search(name: str, program: str) -> bytes:
    """A function of the shell that calls oakum. Where there is none that runs, it says so; a server then refuses."""
    server = name == "pre-receive"
    places = f"at {shown(program)} or on PATH" if program else "on PATH"
    lost = f"oakum: NOT SEARCHED FOR SECRETS{', AND REFUSED' if server else ''}: there is no oakum that runs {places}."
    mend = "oakum: Install it, then run `oakum hook install` (or `oakum hook uninstall`, to be rid of this)."
    return b"""\
oakum_search() {
  for oakum_program in %s; do
    command -v "$oakum_program" >/dev/null 2>&1 || continue
    "$oakum_program" %s "$@"
    oakum_status=$?
    case $oakum_status in 126 | 127) ;; *) return $oakum_status ;; esac
  done
  printf '%%s\\n' %s %s >&2
  return %d
}
""" % (
        _quoted(program) + b" oakum" if program else b"oakum",
        b"push" if name == "pre-push" else b"hook run " + os.fsencode(name),
        _quoted(lost),
        _quoted(mend),
        server,
    )


def _quoted(text: str) -> bytes:
    """A word of the shell that stands for just this text."""
    return b"'" + os.fsencode(text).replace(b"'", b"'\\''") + b"'"


# --- lines in somebody else's script --------------------------------------------------------------------------------


def with_block(content: bytes, name: str) -> bytes:
    """A script with oakum at its beginning, of which the rest runs, with the same input, where oakum lets it pass.

    Behind `#!` and the line that reads husky's functions. Such a script is shared: no path of one machine stands in it.
    An empty one is made.
    """
    former = _BLOCK.search(content)
    made = not content or bool(former and former["made"])
    rest = _BLOCK.sub(b"", content, count=1) or _SHEBANG
    begin = former.start() if former else _BEGINNING.match(rest).end()  # type: ignore[union-attr]  # matches anything
    head = b"# oakum hook %d begins%s. `oakum hook uninstall` takes it out.\n" % (
        FORM,
        b", as does this file" if made else b"",
    )
    feed = _FEED if reads_input(name) else b'oakum_search "$@" || exit\n'
    return rest[:begin] + head + _search(name, "") + feed + b"# oakum hook ends\n" + rest[begin:]


def without_block(content: bytes) -> bytes:
    """A script as it was before; empty where it was made for oakum."""
    former = _BLOCK.search(content)
    rest = _BLOCK.sub(b"", content, count=1)
    return b"" if former and former["made"] and rest == _SHEBANG else rest


def has_block(content: bytes) -> bool:
    """Whether oakum stands in a script of somebody else."""
    return _BLOCK.search(content) is not None


_FEED = b"""\
oakum_given=$(cat && echo .)
printf %s "${oakum_given%.}" | oakum_search "$@" || exit
if [ -n "${oakum_given%.}" ]; then exec <<OAKUM
${oakum_given%?.}
OAKUM
else exec </dev/null; fi
"""
