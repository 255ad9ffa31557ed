"""What refs a host says that a repository has, in one request and without a program: whether anything is new there.

`GET URL/info/refs?service=git-upload-pack`, without the `Git-Protocol` header, is answered with all refs and their
objects in packet lines (protocol version 0). Sources: gitprotocol-http(5), gitprotocol-pack(5), gitprotocol-common(5).
Over ssh `git ls-remote` asks; what lies on this machine is told by the digests that its search goes by.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

from ...errors import GitError, OakumError
from ...logins import Login
from ...model import clean
from ...net import Outbound
from ...net.http import Client, Request, UnansweredError
from ...net.urls import Url
from ...swept import Remote
from ..git import open_repository
from ..state import state_of
from . import network
from .reach import CloneError, Place, Reach, basic, place_of, refused, unsaid

MOST_REFS = 1_000_000
RETRIES = 2
"""How often a host that is busy is asked again, for one repository."""
_ADVERTISEMENT = "application/x-git-upload-pack-advertisement"
_ID = re.compile(rb"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Advertised:
    """What a host gives: `digest` of all refs, of HEAD, and of where history is cut off; `head` the branch that HEAD
    names, empty where that is not told; `refs` how many there are. `digest` is empty where every sweep must look by
    itself (a work tree)."""

    digest: str
    head: str = ""
    refs: int = 0


def advertised(remote: Remote, reach: Reach) -> str:
    """A digest of all refs that a host gives of a repository, and of HEAD: one request over https (gitprotocol-http,
    without a program), `git ls-remote` over ssh; of a repository on this machine its state. CloneError."""
    return asked(remote, reach).digest


def asked(remote: Remote, reach: Reach) -> Advertised:
    """The refs that a host gives of a repository. CloneError."""
    place = place_of(remote)
    if place.scheme == "file":
        return Advertised(_state(local_path(place), reach))
    if place.scheme == "ssh":
        return _of_lines(network.list_remote(place, reach))
    return _over_http(place, reach)


def local_path(place: Place) -> bytes:
    """The path of a `file` URL."""
    path = unquote(place.path, errors="surrogateescape")
    return os.fsencode(path[1:] if os.name == "nt" else path)


def _state(path: bytes, reach: Reach) -> str:
    try:
        repository = open_repository(path, reach.environment, asked=False)
        if repository is None:
            raise CloneError(f"there is no repository (any more) at {clean(path)}", gone=True)
        state = None if repository.work_tree else state_of(repository)
    except GitError as error:
        raise CloneError(str(error)) from error
    if state is None:
        return ""
    told = "\0".join((*sorted(state.packs), state.loose, state.refs))
    return hashlib.sha256(told.encode()).hexdigest()


# --- over http -------------------------------------------------------------------------------------------------------


class _Clients(threading.local):
    def __init__(self) -> None:
        self.kept: dict[tuple[int, float], tuple[Outbound, Client]] = {}


_clients = _Clients()


def _client(outbound: Outbound, silence: float) -> Client:
    """A client of this thread, whose connections are kept from one repository to the next."""
    kept = _clients.kept
    found = kept.get((id(outbound), silence))
    if found is None:
        if len(kept) > 8:
            kept.clear()
        # Its time and number are those of one store; here each repository has its own.
        limits = replace(outbound.limits, retries=min(outbound.limits.retries, RETRIES), silence=silence)
        limits = replace(limits, all=math.inf, pages=sys.maxsize)
        found = kept[id(outbound), silence] = outbound, Client(replace(outbound, limits=limits))
    return found[1]


def _over_http(place: Place, reach: Reach) -> Advertised:
    path = quote(place.path.rstrip("/"), safe="/%:@!$&'()*+,;=-._~", errors="surrogateescape")
    url = Url(place.scheme, place.authority, f"{path}/info/refs", "service=git-upload-pack")
    login = reach.login(place.url)
    headers = {"Accept": f"{_ADVERTISEMENT}, */*"} | (basic(login) if login else {})
    try:
        answer = _client(reach.outbound, reach.silence).get(Request(url, headers, signed=login is not None))
    except UnansweredError as error:
        raise CloneError(f"{clean(place.authority)}: {error}", passing=True) from error
    except OakumError as error:
        raise CloneError(f"{clean(place.authority)}: {error}") from error
    if answer.status != 200:
        raise refused(place, answer.status, login=login)
    if answer.headers.get("content-type", "").partition(";")[0].strip().lower() != _ADVERTISEMENT:
        raise CloneError(
            f"{clean(place.authority)} answers with something else than refs (a page to log in?): "
            "see whether the URL is right, and whether it needs a token"
        )
    return _of_packets(_packets(answer.body), clean(place.authority), login)


def _packets(body: bytes) -> Iterator[bytes]:
    """The packet lines of an answer; an empty one for each flush packet."""
    at = 0
    while at < len(body):
        head = body[at : at + 4]
        try:
            size = int(head, 16) if head.isalnum() else -1
        except ValueError:
            size = -1
        if size in (1, 2, 3, 4) or size < 0 or at + max(size, 4) > len(body):
            raise CloneError(
                "its list of refs is damaged or cut off: it is tried again in the next sweep", passing=True
            )
        yield body[at + 4 : at + size] if size else b""
        at += max(size, 4)


def _of_packets(packets: Iterator[bytes], host: str, login: Login | None = None) -> Advertised:
    first = next(packets, b"")
    if first.rstrip(b"\n") != b"# service=git-upload-pack" or next(packets, None) != b"":
        raise CloneError(f"{host} answers with something else than refs: see whether the URL is right")
    lines: list[bytes] = []
    shallow: list[bytes] = []
    head = b""
    ended = False
    for packet in packets:
        if packet == b"":
            ended = True
            break
        line, _, capabilities = packet.rstrip(b"\n").partition(b"\0")
        if line.startswith(b"ERR "):
            raise CloneError(unsaid(f"{host} says: {clean(line[4:300])}", login))
        for each in capabilities.split(b" ") if capabilities else ():
            if each.startswith(b"symref=HEAD:"):
                head = each[len(b"symref=HEAD:") :]
        if line.startswith(b"shallow "):
            shallow.append(line)
        elif not line.endswith(b" capabilities^{}"):
            lines.append(line)
        if len(lines) + len(shallow) > MOST_REFS:
            raise CloneError(f"{host} gives more than {MOST_REFS:,} refs of it, which is the most that is looked at")
    if not ended:
        raise CloneError("its list of refs is cut off: it is tried again in the next sweep", passing=True)
    return _told(lines, head, shallow)


def _of_lines(output: bytes) -> Advertised:
    """Of what `git ls-remote --symref` prints."""
    lines, head = [], b""
    for line in output.split(b"\n"):
        told, tab, name = line.partition(b"\t")
        if told.startswith(b"ref: ") and name == b"HEAD":
            head = told[len(b"ref: ") :]
        elif tab:
            lines.append(told + b" " + name)
    return _told(lines, head)


def _told(lines: Iterable[bytes], head: bytes, shallow: Iterable[bytes] = ()) -> Advertised:
    """Sorted, so that a host that gives them in another order each time has nothing new."""
    refs = sorted(set(lines))
    for line in refs:
        name, space, ref = line.partition(b" ")
        if not space or not ref or b"\n" in ref or not _ID.fullmatch(name):
            raise CloneError("its list of refs holds what is no ref: it is tried again in the next sweep", passing=True)
    digest = hashlib.sha256(b"\n".join((*refs, b"HEAD " + head, *sorted(shallow))))
    branch = head.removeprefix(b"refs/heads/") if head.startswith(b"refs/heads/") else b""
    return Advertised(digest.hexdigest(), branch.decode("utf-8", "surrogateescape"), len(refs))
