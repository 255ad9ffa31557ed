"""Repositories of no host's listing: those in a folder, and those whose URLs stand in a file."""

from __future__ import annotations

import codecs
import io
import os
import re
from collections.abc import Iterator
from urllib.parse import quote, unquote, urlsplit

from ...cache import READING
from ...model import clean, is_here
from ...net.urls import bracketed
from ...swept import Remote, Target, Unlisted
from ..locate import has_layout, is_repository
from .access import Access, UnlistedError

DEEPEST = 8
"""Folders below each other that are looked into."""
MOST_FOLDERS = 200_000
LARGEST_FILE = 16 << 20
LONGEST_URL = 4096
_SCP = re.compile(r"(?P<user>[A-Za-z0-9._-]+)@(?P<host>[A-Za-z0-9._-]+):(?P<path>[^/:\s][^:\s]*)")
"""As in `git@github.com:acme/web.git`. Source: git-clone(1), "GIT URLS"."""
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9_])?|[0-9A-Fa-f:.]{2,45}")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_ODD = re.compile(r"[^\x21-\x7e]|\\|%(?![0-9A-Fa-f]{2})|%[01][0-9A-Fa-f]|%7[Ff]")
"""What a URL that git is given does not hold here."""


def folder(target: Target, _access: Access) -> Iterator[Remote | Unlisted]:
    """The repositories below a folder, or it itself; links are not followed, and those inside of one another are not
    looked for."""
    top = os.fsencode(target.owner)
    left = [(top, 0)]
    looked = 0
    while left:
        path, depth = left.pop()
        looked += 1
        if looked > MOST_FOLDERS:
            yield Unlisted(target.text, f"it has more than {MOST_FOLDERS:,} folders: name a part of it")
            return
        if is_repository(path) or has_layout(path):
            yield _found(target, top, path)
            continue
        try:
            with os.scandir(path) as entries:
                below = sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
        except OSError as error:
            yield Unlisted(target.text, f"{clean(path)} cannot be read: {error.strerror or error}")
            continue
        if depth < DEEPEST:
            left += [(each, depth + 1) for each in reversed(below)]
        elif below:
            yield Unlisted(target.text, f"{clean(path)} lies {DEEPEST} folders deep: name it as a target of its own")


def _found(target: Target, top: bytes, path: bytes) -> Remote:
    inside = os.path.relpath(path, top)
    name = os.path.basename(path) if inside == b"." else inside.replace(os.fsencode(os.sep), b"/")
    url = "file://" + quote(os.path.abspath(path).replace(os.fsencode(os.sep), b"/"), safe="/-_.~")
    git_dir = os.path.join(path, b".git") if os.path.isdir(os.path.join(path, b".git")) else path
    return Remote(url, clean(name.removesuffix(b".git") or name), url, target.text, size=_packed(git_dir))


def _packed(git_dir: bytes) -> int:
    """The bytes of the packs of a repository: about what there is to search."""
    try:
        with os.scandir(os.path.join(git_dir, b"objects", b"pack")) as entries:
            return sum(entry.stat().st_size for entry in entries if entry.name.endswith(b".pack"))
    except OSError:
        return 0


def urls(target: Target, _access: Access) -> Iterator[Remote | Unlisted]:
    """The repositories of a file: a URL on each line, or nothing, or what begins with `#`."""
    try:
        with os.fdopen(os.open(target.owner, READING), "rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise UnlistedError(f"it cannot be read: {error.strerror or error}") from error
    if len(content) > LARGEST_FILE:
        raise UnlistedError(f"it has more than {LARGEST_FILE >> 20} MiB: a file of URLs has one on each line")
    for number, line in enumerate(io.BytesIO(content.removeprefix(codecs.BOM_UTF8)), 1):
        text = line.decode("utf-8", "replace").strip()
        if text and not text.startswith("#"):
            try:
                yield _listed(target, text)
            except UnlistedError as error:
                yield Unlisted(target.text, f"line {number}: {error}")


def _listed(target: Target, text: str) -> Remote:
    if found := _SCP.fullmatch(text):
        text = f"ssh://{found['user']}@{found['host']}/{found['path']}"
    if len(text) > LONGEST_URL or _ODD.search(text):
        raise UnlistedError("this is no URL: write https://HOST/PATH, with what is no plain ASCII as %XX")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise UnlistedError("this is no URL: write https://HOST/PATH") from None
    host = parts.hostname or ""
    if parts.scheme not in ("https", "http", "ssh", "file") or parts.query or parts.fragment:
        raise UnlistedError("this is no URL that is fetched from: write https://HOST/PATH, ssh:// or file:///PATH")
    if not (_HOST.fullmatch(host) if parts.scheme != "file" else parts.netloc in ("", "localhost")):
        raise UnlistedError("this URL has no host that can be asked: write https://HOST/PATH, ssh:// or file:///PATH")
    if not parts.path.strip("/"):
        raise UnlistedError("this URL has no path: write https://HOST/PATH")
    if parts.password is not None or (parts.username is not None and parts.scheme != "ssh"):
        raise UnlistedError("a name or password in a URL is not sent: take them out, and set the variable of its host")
    if parts.username is not None and not _USER.fullmatch(parts.username):
        raise UnlistedError("the name before @ in this URL is none")
    if parts.scheme == "http" and not is_here(bracketed(host)):
        raise UnlistedError("over http anybody on the way can change what is fetched: write https://")
    path = unquote(parts.path, errors="replace").strip("/").removesuffix(".git")
    where = "" if parts.scheme == "file" else f"{bracketed(host)}{f':{port}' if port else ''}/"
    name = clean(where + path)[:400]
    return Remote(text.rstrip("/"), name, text.rstrip("/"), target.text, team=name.rpartition("/")[0])
