"""Git that talks to hosts: fetch and ls-remote, with settings that leave a host nothing to decide but what it gives.

The environment is made from scratch: neither the user's nor the machine's git configuration is read, and only the
URL's own protocol is allowed; git does not follow redirects, look for submodules, run hooks, filters or maintenance, or
ask at a terminal. The host's address is looked up and checked here, as for all that oakum asks, and git is told to
connect to that one (git 2.37 and newer); what a proxy or ssh connects to, they look up themselves.

A token goes through a pipe that a credential helper of one line reads when git asks it (gitcredentials(7)): it stands
in no argument, no environment and no file. Where there are no such pipes (Windows) it stands in git's environment.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import certifi

from ...logins import Login
from ...model import clean
from ...net.addresses import is_metadata_name
from ...net.http import UnansweredError, checked_addresses
from ...net.proxies import proxy_of
from ...net.urls import Url, bracketed
from ..git import find_program, first_line
from .reach import NO_LOGIN, CloneError, Place, Reach, basic, refused, unsaid
from .running import run

LISTING = 120.0
"""Seconds that a list of refs may take over ssh, which knows no silence."""
LONGEST = 8 << 10
"""Bytes of a name and password; all of them fit into a pipe that nobody reads yet."""
FILL = 20.0
"""Seconds that a credential helper of the user may take."""
_SETTINGS = (
    f"core.hooksPath={os.devnull}",
    f"core.attributesFile={os.devnull}",
    "core.fsmonitor=false",
    "core.askPass=",
    "core.deltaBaseCacheLimit=32m",
    "core.bigFileThreshold=32m",
    "core.packedGitLimit=64m",
    "core.fsync=none",  # one that was cut off is made anew
    "fetch.recurseSubmodules=false",
    "fetch.unpackLimit=1",  # packs are read faster than loose objects
    "fetch.writeCommitGraph=false",
    "fetch.fsckObjects=false",  # damage is for the scan to tell
    "transfer.fsckObjects=false",
    "transfer.bundleURI=false",
    "submodule.recurse=false",
    "pack.threads=1",
    "pack.window=0",  # what is packed anew keeps its deltas: no time and memory for others
    "repack.writeBitmaps=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.version=0",  # all refs in the first answer: one request less
    "http.followRedirects=false",
    "http.saveCookies=false",
    "http.cookieFile=",
    "http.lowSpeedLimit=1",
    "http.maxRequests=2",
    "advice.fetchShowForcedUpdates=false",
    "init.defaultBranch=main",
)
_KEPT = frozenset(
    "PATH SYSTEMROOT SYSTEMDRIVE TEMP TMP TMPDIR WINDIR COMSPEC PATHEXT PROGRAMDATA SSL_CERT_FILE SSL_CERT_DIR "
    "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY".split()
)
_PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"})
_KEPT_FOR_SSH = frozenset("HOME USER LOGNAME USERPROFILE HOMEDRIVE HOMEPATH APPDATA SSH_AUTH_SOCK".split())
_PASSING = (
    b"early EOF",
    b"RPC failed",
    b"unexpected disconnect",
    b"hung up unexpectedly",
    b"Could not resolve",
    b"Failed to connect",
    b"Couldn't connect",
    b"Connection ",
    b"Operation too slow",
    b"timed out",
    b"Empty reply",
    b"transfer closed",
)
_FULL = (b"No space left on device", b"Disk quota exceeded")
_NONE = (
    re.compile(rb"repository '[^\n]*' not found"),
    re.compile(rb"[Rr]epository (?:was )?not found"),  # GitHub and Bitbucket over ssh
    re.compile(rb"[Rr]epository does not exist"),  # Gitea
    re.compile(rb"could not be found or you don't have permission"),  # GitLab
    re.compile(rb"does not appear to be a git repository"),
)
_SSH = (
    "ssh -oBatchMode=yes -oForwardAgent=no -oConnectTimeout=30 -oServerAliveInterval=20"
    " -oControlMaster=no -oPermitLocalCommand=no -oClearAllForwardings=yes"
)
"""A master would live on, and hold what waits for the end of git."""


class FetchError(CloneError):
    """A fetch failed for a reason that is not the host's answer, as far as can be told: the clone may be damaged."""


# --- what is run -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """What goes with a fetch: `watch` is called a few times a second, and ends it by raising; `lock` is the descriptor
    of a lock, which git keeps: where we are killed, nobody else works on the clone while git is still at it."""

    watch: Callable[[], None]
    lock: int


def clone(place: Place, folder: bytes, reach: Reach, held: Held) -> None:
    """A bare clone with all refs, in a folder that is not there yet."""
    arguments = ["clone", "--mirror", "--quiet", "--template=", "--no-local", "--no-recurse-submodules"]
    _talk(place, reach, [*arguments, "--", place.url, os.fsdecode(folder)], None, held)


def fetch(place: Place, folder: bytes, reach: Reach, held: Held) -> None:
    """All refs, into a bare repository; those that the host has no more go."""
    arguments = ["fetch", "--quiet", "--prune", "--force", "--no-tags", "--no-write-fetch-head", "--update-head-ok"]
    arguments += ["--no-auto-maintenance", "--no-show-forced-updates", "--no-recurse-submodules", "--refmap="]
    if os.path.lexists(os.path.join(folder, b"shallow")):
        arguments.append("--unshallow")  # the host may have more of its history than it had
    arguments.append("--update-shallow")
    _talk(place, reach, [*arguments, "--", place.url, "+refs/*:refs/*"], folder, held)


def list_remote(place: Place, reach: Reach) -> bytes:
    """What `git ls-remote --symref` prints."""
    quicker = replace(reach, seconds=min(reach.seconds, LISTING))
    return _talk(place, quicker, ["ls-remote", "--symref", "--", place.url], None, None)


def tidy(folder: bytes, environment: Mapping[str, str], seconds: float, held: Held) -> None:
    """Few packs out of many, and refs in one file, with all that is unreachable kept. CloneError."""
    for arguments in (["pack-refs", "--all"], ["repack", "--geometric=2", "-d", "--quiet"]):
        _alone(_command(environment, [], folder, arguments), environment, seconds, held)


def make(folder: bytes, environment: Mapping[str, str], object_format: str, held: Held) -> None:
    """An empty bare repository. CloneError."""
    arguments = ["init", "--bare", "--quiet", "--template=", f"--object-format={object_format}", os.fsdecode(folder)]
    _alone(_command(environment, [], None, arguments), environment, 60, held)


def _alone(command: Sequence[str], environment: Mapping[str, str], seconds: float, held: Held) -> None:
    """Run a git that talks to nobody."""
    own = _environment(environment, ssh=False) | {"GIT_ALLOW_PROTOCOL": "none"}
    code, _, said = run(command, own, _inherited(held), seconds, held.watch)
    if code:
        if any(sign in said for sign in _FULL):
            raise _full()
        raise FetchError(f"git: {first_line(said) or f'exit status {code}'}")


def _nothing() -> None:
    pass


def _talk(place: Place, reach: Reach, arguments: Sequence[str], folder: bytes | None, held: Held | None) -> bytes:
    """Run git with a host; CloneError with what it means that it failed."""
    login = reach.login(place.url) if place.scheme != "ssh" else None
    if login is not None and any(sign in login.user + login.password for sign in "\n\r\0"):
        raise CloneError(f"what {clean(login.source)} holds has a line break in it: it is no token")
    if login is not None and len(f"{login.user}{login.password}".encode("utf-8", "surrogateescape")) > LONGEST:
        raise CloneError(f"what {clean(login.source)} holds is longer than {LONGEST} bytes: it is no token")
    environment = _environment(reach.environment, ssh=place.scheme == "ssh")
    environment["GIT_ALLOW_PROTOCOL"] = place.scheme
    settings = [f"http.lowSpeedTime={max(1, int(reach.silence))}", *_way(place, reach, environment)]
    with contextlib.ExitStack() as stack:
        if reach.outbound.certificates:
            settings.append(f"http.sslCAInfo={stack.enter_context(_authorities(reach.outbound.certificates))}")
        inherited = _inherited(held)
        if login is not None:
            settings.append("http.proactiveAuth=basic")  # without a login git would want one for what is public
            if os.name == "posix":
                inherited.append(stack.enter_context(_told(login)))
                reads = f"cat /dev/fd/{inherited[-1]}"
                settings.append(f'credential.helper=!f() {{ test "$1" != get || {reads}; }}; f')
            else:
                environment |= _in_environment(place, login)
        command = _command(reach.environment, settings, folder, arguments)
        code, output, said = run(command, environment, inherited, reach.seconds, held.watch if held else _nothing)
    if code:
        raise _failed(place, said, code, login=login)
    return output


def _inherited(held: Held | None) -> list[int]:
    return [held.lock] if held and os.name == "posix" else []


def _command(
    environment: Mapping[str, str], settings: Sequence[str], folder: bytes | None, arguments: Sequence[str]
) -> list[str]:
    program = find_program("git", environment)
    if program is None:
        raise CloneError("git was not found: install it (https://git-scm.com) or put it on PATH")
    command = [program, "--no-pager", "-c", "credential.helper="]
    for setting in (*_SETTINGS, *settings):
        command += ["-c", setting]
    if folder is not None:
        command += ["-c", f"safe.directory={os.fsdecode(folder)}", f"--git-dir={os.fsdecode(folder)}"]
    return [*command, *arguments]


def _environment(given: Mapping[str, str], *, ssh: bool) -> dict[str, str]:
    names = _KEPT | _KEPT_FOR_SSH if ssh else _KEPT
    kept = {name: value for name, value in given.items() if name.upper() in names}
    search = [name for name in given.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(name)]
    if not ssh:
        kept["HOME"] = os.devnull  # where it is not set, curl looks for ~/.netrc by the user's entry in passwd
    kept |= {
        "PATH": os.pathsep.join(search),
        "GIT_ALLOC_LIMIT": "1g",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_ADVICE": "0",
        "LC_ALL": "C",
    }
    if ssh:
        kept["GIT_SSH_VARIANT"] = "ssh"
        kept["GIT_SSH_COMMAND"] = _SSH
    return kept


def _way(place: Place, reach: Reach, environment: dict[str, str]) -> list[str]:
    """Settings for the address that git is to connect to: one that was checked. A proxy looks names up by itself: git
    gets the one that oakum would take, in its environment, for a password may stand in it."""
    if is_metadata_name(place.host):
        raise CloneError(f"{clean(place.host)} is for this machine's own metadata: never asked")
    if place.scheme == "ssh":
        return []
    for name in [each for each in environment if each.upper() in _PROXIES]:
        del environment[name]
    port = place.port or (443 if place.scheme == "https" else 80)
    proxy = proxy_of(Url(place.scheme, place.authority), reach.outbound.environment)
    if proxy:
        environment[f"{place.scheme}_proxy"] = proxy
        return ["http.proxyAuthMethod=basic"]
    try:
        addresses = checked_addresses(place.host, port, private=reach.outbound.private)
    except UnansweredError as error:
        raise CloneError(f"{clean(place.authority)}: {error}", passing=error.passing) from error
    if place.host in addresses:  # an address leads to itself, and curl takes none of IPv6 for a name
        return ["http.proxy="]
    return [f"http.curloptResolve={place.host}:{port}:{','.join(map(bracketed, addresses))}", "http.proxy="]


@contextlib.contextmanager
def _authorities(certificates: str) -> Iterator[str]:
    """A file of Mozilla's authorities and the user's own; git takes one file for all."""
    try:
        with open(certificates, "rb") as file:
            own = file.read(16 << 20)
    except OSError as error:
        raise CloneError(
            f"{clean(certificates)} cannot be read ({error.strerror}): name a file of certificates"
        ) from error
    with open(certifi.where(), "rb") as file:
        usual = file.read()
    with tempfile.NamedTemporaryFile(prefix="oakum-authorities-", suffix=".pem") as joined:
        joined.write(usual + b"\n" + own)
        joined.flush()
        yield joined.name


@contextlib.contextmanager
def _told(login: Login) -> Iterator[int]:
    """The end of a pipe in which a login stands, as a credential helper tells it (git-credential(1))."""
    reading, writing = os.pipe()
    try:
        try:
            os.write(writing, f"username={login.user}\npassword={login.password}\n".encode("utf-8", "surrogateescape"))
        finally:
            os.close(writing)
        yield reading
    finally:
        os.close(reading)


def _in_environment(place: Place, login: Login) -> dict[str, str]:
    """A login as a setting in the environment, for this host alone. Source: git-config(1), GIT_CONFIG_COUNT."""
    header = ": ".join(next(iter(basic(login).items())))
    named = f"http.{place.scheme}://{place.authority}/.extraHeader"
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": named, "GIT_CONFIG_VALUE_0": header}


def _full() -> CloneError:
    return CloneError("the disk is full: free some of it, or lower --clones-limit", passing=True, here=True)


def _failed(place: Place, said: bytes, code: int, *, login: Login | None) -> CloneError:
    """What it means that git failed. What the host said besides (`remote:`) decides nothing, but may be the reason."""
    host = clean(place.authority)
    own = b"\n".join(line for line in said.split(b"\n") if not line.startswith(b"remote: "))
    ours = b"\n".join(line for line in own.split(b"\n") if not line.startswith(b"fatal: remote error: "))
    if any(sign in ours for sign in _FULL):
        return _full()
    for status in (301, 302, 307, 308, 401, 403, 404, 410, 429, 500, 502, 503, 504):
        if b"returned error: %d" % status in ours:
            return refused(place, status, login=login)
    if b"Authentication failed" in own or b"could not read Username" in own:
        who = f"what {clean(login.source) or 'the login'} holds is not taken" if login else NO_LOGIN
        return CloneError(f"{host}: it was made private, or {who}", gone=True)
    if any(sign.search(own) for sign in _NONE):
        return CloneError(f"{host} has no such repository (any more)", gone=True)
    if place.scheme == "ssh" and b"Permission denied" in own:
        return CloneError(f"{host} takes none of the keys of the ssh agent and ~/.ssh: see `ssh -T {host}`")
    if place.scheme == "ssh" and b"Host key verification failed" in own:
        return CloneError(f"the key of {host} is not known, or another than before: see `ssh -T {host}`")
    if place.scheme == "ssh":  # which says why before git says that it does not know
        own = b"\n".join(line for line in own.split(b"\n") if not line.startswith(b"fatal: Could not read from")) or own
    why = unsaid(first_line(own) or first_line(said) or f"exit status {code}", login)
    if any(sign in own for sign in _PASSING):
        return CloneError(f"{host}: {why}: it is tried again in the next sweep", passing=True)
    return FetchError(f"git could not fetch it from {host}: {why}")


# --- the user's credential helpers -----------------------------------------------------------------------------------


def filled(scheme: str, authority: str, environment: Mapping[str, str]) -> Login | None:
    """What git's credential helpers have for a host, as the user has set them up; nobody is asked at a terminal. None
    where they have nothing. Source: git-credential(1)."""
    program = find_program("git", environment)
    if program is None:
        return None
    own = {name: value for name, value in environment.items() if name not in ("GIT_DIR", "GIT_WORK_TREE")}
    own |= {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS": "", "GCM_INTERACTIVE": "never", "LC_ALL": "C"}
    command = [program, "-c", "core.askPass=", "credential", "fill"]
    try:
        code, output, _ = run(command, own, (), FILL, _nothing, f"protocol={scheme}\nhost={authority}\n\n".encode())
    except CloneError:
        return None
    told = dict(line.split("=", 1) for line in output.decode("utf-8", "replace").splitlines() if "=" in line)
    if code or not told.get("password"):
        return None
    host = authority.rpartition(":")[0] if authority.rpartition(":")[2].isdigit() else authority
    return Login(host.strip("[]"), told.get("username", ""), told["password"], "git's credential helper")


GOOD_FOR = 900.0
"""Seconds after which a helper is asked again."""


class Helpers:
    """The logins that git's credential helpers have. They are asked again after a while: what they give may be good for
    an hour, and a sweep goes on for longer."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._known: dict[tuple[str, str], tuple[Login | None, float]] = {}
        self._lock = threading.Lock()

    def __call__(self, url: str) -> Login | None:
        """What goes to the host of a URL; None where nothing does."""
        from urllib.parse import urlsplit

        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.netloc):
            return None
        key = parts.scheme, parts.netloc
        with self._lock:
            login, since = self._known.get(key, (None, -math.inf))
            if time.monotonic() - since > GOOD_FOR:
                login = filled(*key, self._environment)
                self._known[key] = login, time.monotonic()
            return login
