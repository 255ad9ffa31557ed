"""How repositories of others are reached, and what becomes of it: the types, and how URLs are taken."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...errors import OakumError
from ...logins import Login
from ...model import clean, is_here
from ...net import Outbound
from ...net.urls import bracketed
from ...swept import Remote


class CloneError(OakumError):
    """A repository could not be fetched: the text says why, and what to do; never a credential. `passing` says that it
    may go well next time; `gone` that the host says there is no such repository (any more) for us; `login` that it does
    not take the login that was sent; `here` that the reason lies on this machine."""

    def __init__(
        self, why: str, *, passing: bool = False, gone: bool = False, login: bool = False, here: bool = False
    ) -> None:
        super().__init__(why)
        self.passing = passing
        self.gone = gone
        self.login = login
        self.here = here


@dataclass(frozen=True, slots=True)
class Reach:
    """How repositories are reached. `seconds` is the time for one of them, `silence` that without a byte; `login` gives
    what is sent to a URL's host."""

    environment: Mapping[str, str]
    outbound: Outbound
    login: Callable[[str], Login | None]
    seconds: float = 3600
    silence: float = 60


@dataclass(frozen=True, slots=True)
class Clone:
    """A repository as it lies here now. `path` is its git directory, or its work tree where it is not ours; `memory` a
    folder for what is remembered of its search, that stays when the clone goes; `bytes` is what it takes on disk.

    `fresh` says that it was fetched whole just now, so that damage in it is its host's; `problems` are refs that could
    not be fetched, each with the reason. `refs` is the digest of what the host gave just before it was fetched, empty
    for what lies on this machine: a sweep must remember this one, for the one that it knew may be hours old. `damaged`
    says that a clone that was fresh was damaged at these refs: to make it anew would mend nothing.
    """

    path: bytes
    memory: str
    bytes: int
    fresh: bool = False
    problems: tuple[str, ...] = ()
    refs: str = ""
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A URL that a repository is fetched from, taken apart: `host` without brackets; `port` 0 for the scheme's own."""

    url: str
    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The host, with its port where one was given."""
        return bracketed(self.host) + (f":{self.port}" if self.port else "")


FORMS = "https://HOST/PATH, ssh://[USER@]HOST/PATH, or file:///PATH for what lies on this machine"
_URL = re.compile(
    r"(?P<scheme>https?|ssh|file)://(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9._-]{0,99})@)?"
    r"(?:(?P<host>[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9_])?)|\[(?P<six>[0-9A-Fa-f:.]{2,45})\])?"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^\x00-\x20\x7f?#]*)",
    re.ASCII | re.IGNORECASE,
)


def place_of(remote: Remote) -> Place:
    """Where a repository is fetched from. CloneError where its URL is none that is fetched from, with those that are.

    What git would take for more than a URL is refused: helpers (`ext::`), options, and names and passwords.
    """
    found = _URL.fullmatch(remote.url)
    host = found and (found["host"] or found["six"] or "")
    if found is None or len(remote.url) > 4096 or bool(host) == (found["scheme"].lower() == "file"):
        raise CloneError(f"its URL is none that is fetched from: write {FORMS}")
    scheme = found["scheme"].lower()
    if found["user"] and scheme != "ssh":
        raise CloneError("its URL holds a name or password: take them out, and set the variable of its host's token")
    if int(found["port"] or 0) > 0xFFFF or "%00" in found["path"]:
        raise CloneError(f"its URL has a port or path that there cannot be: write {FORMS}")
    if scheme == "http" and not is_here(bracketed(host or "")):
        raise CloneError(f"{clean(host or '')}: over http anybody on the way reads the token: write https://")
    return Place(remote.url, scheme, host or "", int(found["port"] or 0), found["path"])


NO_LOGIN = "needs a token: docs/sweeps.md lists the variables that hold one"


def refused(place: Place, status: int, *, login: Login | None) -> CloneError:
    """What a host's answer means that is no repository."""
    host = clean(place.authority)
    if status in (301, 302, 303, 307, 308):
        return CloneError(
            f"{host} says that it has moved (renamed?): redirects are not followed; list the target again", gone=True
        )
    if status in (401, 403, 404, 410, 451):
        who = f"what {clean(login.source) or 'the login'} holds may not read it" if login else NO_LOGIN
        why = f"{host} answers {status}: it was deleted or made private, or {who}"
        return CloneError(why, gone=True, login=status == 401 and login is not None)
    if status == 429 or status >= 500:
        return CloneError(f"{host} answers {status}: it is tried again in the next sweep", passing=True)
    return CloneError(f"{host} answers {status}, which is no git repository: see whether the URL is right")


# --- logins ----------------------------------------------------------------------------------------------------------


def basic(login: Login) -> dict[str, str]:
    """The header that tells a login (RFC 7617)."""
    return {"Authorization": f"Basic {_coded(login)}"}


def unsaid(text: str, login: Login | None) -> str:
    """What a host or git says, where it does not repeat what was sent to it."""
    if login and login.password and any(told in text for told in (login.password, _coded(login))):
        return "it repeats the token, so that what it says is not shown"
    return text


def _coded(login: Login) -> str:
    return base64.b64encode(f"{login.user}:{login.password}".encode("utf-8", "surrogateescape")).decode()
