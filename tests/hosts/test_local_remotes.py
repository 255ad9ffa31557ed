"""Repositories that no host lists: those in a folder, and those whose URLs stand in a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from asking_hosts import Asking, names
from git_repository import GitRepository
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.sources.hosts import listed, local, read_target
from oakum.scanner.sources.hosts.local import DEEPEST
from oakum.scanner.swept import Remote, Unlisted


def all_of(path: Path) -> list[Remote | Unlisted]:
    return list(listed(read_target(str(path)), Asking().access))


def packed(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*.pack"))


# --- folders ---------------------------------------------------------------------------------------------------------


def test_a_folder_of_clones(tmp_path: Path) -> None:
    """Bare or not, in order, named by where they are; what is in one of them is part of it."""
    web = GitRepository.create(tmp_path / "acme" / "web")
    web.commit({"a.txt": b"one\n", "inside/b.txt": b"two\n"})
    GitRepository.create(tmp_path / "acme" / "web" / "inside" / "another")
    bare = tmp_path / "mirrors" / "tools.git"
    web.git("clone", "--quiet", "--bare", "--no-local", str(web.path), str(bare))
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "readme.txt").write_text("no repository\n")
    target = str(tmp_path)
    urls = [f"file://{tmp_path}/acme/web", f"file://{tmp_path}/mirrors/tools.git"]
    assert packed(bare) > 0
    assert all_of(tmp_path) == [
        Remote(urls[0], "acme/web", urls[0], target, size=packed(web.path)),
        Remote(urls[1], "mirrors/tools", urls[1], target, size=packed(bare)),
    ]


def test_a_repository_itself(repo: GitRepository) -> None:
    """Is named as its folder is."""
    url = f"file://{repo.path}"
    assert all_of(repo.path) == [Remote(url, "repo", url, str(repo.path))]
    assert names(all_of(repo.path / ".git")) == [".git"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such links and names")
def test_links(tmp_path: Path, repo: GitRepository) -> None:
    """Are not followed, neither out of the folder nor in a circle."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "out").symlink_to(repo.path)
    (folder / "circle").symlink_to(folder)
    assert all_of(folder) == []


def test_work_trees_of_another(tmp_path: Path, repo: GitRepository) -> None:
    """A linked work tree has a file for `.git`, and is a repository, too."""
    repo.git("worktree", "add", "--quiet", str(tmp_path / "clones" / "tree"))
    assert names(all_of(tmp_path / "clones")) == ["tree"]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are UTF-8 there")
def test_odd_names(tmp_path: Path) -> None:
    """They are encoded in the URL, and fit to be shown."""
    for name in (b"a b", b"c%20d", b"\xff\xfe", b"e\x1b[31m", b"new\nline", "ü".encode(), b"f?g#h"):
        GitRepository.create(Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)))
    found = [one for one in all_of(tmp_path) if isinstance(one, Remote)]
    assert [(one.name, one.url.removeprefix(f"file://{tmp_path}/")) for one in found] == [
        ("a b", "a%20b"),
        ("c%20d", "c%2520d"),
        ("e\\x1b[31m", "e%1B%5B31m"),
        ("f?g#h", "f%3Fg%23h"),
        ("new\\x0aline", "new%0Aline"),
        ("ü", "%C3%BC"),
        ("\ufffd\ufffd", "%FF%FE"),
    ]


def test_how_deep(tmp_path: Path) -> None:
    """Repositories as deep as is looked, not deeper; that it is not looked deeper is said."""
    above = tmp_path
    for number in range(DEEPEST - 1):
        above /= f"d{number}"
    GitRepository.create(above / "here")
    GitRepository.create(above / "there" / "deeper")
    path = "/".join(f"d{number}" for number in range(DEEPEST - 1))
    assert names(all_of(tmp_path)) == [
        f"{path}/here",
        f"{above / 'there'} lies {DEEPEST} folders deep: name it as a target of its own",
    ]


def test_how_many_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is not one of clones ends."""
    monkeypatch.setattr(local, "MOST_FOLDERS", 5)
    for number in range(9):
        (tmp_path / f"d{number}").mkdir()
    GitRepository.create(tmp_path / "a")
    assert names(all_of(tmp_path)) == ["a", "it has more than 5 folders: name a part of it"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="whoever is root may read all")
def test_what_cannot_be_read(tmp_path: Path) -> None:  # pragma: no cover
    """It is said, and the others are listed."""
    (tmp_path / "locked").mkdir(mode=0)
    GitRepository.create(tmp_path / "open")
    assert names(all_of(tmp_path)) == [f"{tmp_path / 'locked'} cannot be read: Permission denied", "open"]


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    """Between the command line and the listing."""
    (tmp_path / "clones").mkdir()
    target = read_target(str(tmp_path / "clones"))
    (tmp_path / "clones").rmdir()
    assert names(list(listed(target, Asking().access))) == [
        f"{tmp_path / 'clones'} cannot be read: No such file or directory"
    ]


# --- files of URLs ---------------------------------------------------------------------------------------------------


def test_a_file_of_urls(tmp_path: Path) -> None:
    """One on each line; comments, empty lines, the same again, and both ends of lines."""
    path = tmp_path / "urls.txt"
    path.write_bytes(
        b"\xef\xbb\xbf# ours\r\n"
        b"https://github.com/acme/web.git\r\n"
        b"\n"
        b"  https://git.acme.test:8443/group/sub/tools/  \n"
        b"ssh://git@git.acme.test/acme/web.git\n"
        b"git@github.com:acme/infra.git\n"
        b"file:///srv/git/local%20one.git\n"
        b"http://127.0.0.1:3000/acme/here\n"
        b"https://[2001:db8::1]/acme/six\n"
        b"https://github.com/acme/web.git"
    )
    rows = [
        ("https://github.com/acme/web.git", "github.com/acme/web", "github.com/acme"),
        (
            "https://git.acme.test:8443/group/sub/tools",
            "git.acme.test:8443/group/sub/tools",
            "git.acme.test:8443/group/sub",
        ),
        ("ssh://git@git.acme.test/acme/web.git", "git.acme.test/acme/web", "git.acme.test/acme"),
        ("ssh://git@github.com/acme/infra.git", "github.com/acme/infra", "github.com/acme"),
        ("file:///srv/git/local%20one.git", "srv/git/local one", "srv/git"),
        ("http://127.0.0.1:3000/acme/here", "127.0.0.1:3000/acme/here", "127.0.0.1:3000/acme"),
        ("https://[2001:db8::1]/acme/six", "[2001:db8::1]/acme/six", "[2001:db8::1]/acme"),
    ]
    assert all_of(path) == [Remote(url, name, url, str(path), team=team) for url, name, team in rows]


NO_URL = "this is no URL: write https://HOST/PATH, with what is no plain ASCII as %XX"
NOT_FETCHED = "this is no URL that is fetched from: write https://HOST/PATH, ssh:// or file:///PATH"
NO_HOST = "this URL has no host that can be asked: write https://HOST/PATH, ssh:// or file:///PATH"
NO_NAMES = "a name or password in a URL is not sent: take them out, and set the variable of its host"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"acme/web", NOT_FETCHED),
        (b"github:acme", NOT_FETCHED),
        (b"-u whoami", NO_URL),
        (b"--upload-pack=whoami", NOT_FETCHED),
        (b"ext::sh -c whoami", NO_URL),
        (b"ext::sh%20-c", NOT_FETCHED),
        (b"git://github.com/acme/web", NOT_FETCHED),
        (b"https://github.com/acme/web?x=1", NOT_FETCHED),
        (b"https://github.com/acme/web#x", NOT_FETCHED),
        (b"https://github.com/acme web", NO_URL),
        (b"https://github.com/acme\x00web", NO_URL),
        (b"https://github.com/acme\x1b[31m", NO_URL),
        (b"https://github.com/acme\\web", NO_URL),
        (b"https://github.com/acme%0aweb", NO_URL),
        (b"https://github.com/acme%zz", NO_URL),
        ("https://github.com/ünder".encode(), NO_URL),
        (b"https://github.com/\xff", NO_URL),
        (b"https://github.com/" + b"a" * 10_000_000, NO_URL),
        (b"https:///acme/web", NO_HOST),
        (b"https://-oX/acme/web", NO_HOST),
        (b"ssh://-oProxyCommand=whoami/x", NO_HOST),
        (b"ssh://git@-oX/x", NO_HOST),
        (b"file://server/share/x", NO_HOST),
        (b"https://github.com", "this URL has no path: write https://HOST/PATH"),
        (b"file:///", "this URL has no path: write https://HOST/PATH"),
        (b"https://%b@github.com/acme/web" % b"ada:word", NO_NAMES),
        (b"https://ada@github.com/acme/web", NO_NAMES),
        (b"ssh://git:word@github.com/acme/web", NO_NAMES),
        (b"ssh://-oX@github.com/acme/web", "the name before @ in this URL is none"),
        (b"-oX@github.com:acme/web", "the name before @ in this URL is none"),
        (b"http://github.com/acme/web", "over http anybody on the way can change what is fetched: write https://"),
        (b"https://github.com:99999/acme", "this is no URL: write https://HOST/PATH"),
        (b"https://[github.com/acme", "this is no URL: write https://HOST/PATH"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_lines_that_are_no_urls(tmp_path: Path, line: bytes, why: str) -> None:
    """Are named by their number, not shown: there may be a password in them. The others are listed."""
    path = tmp_path / "urls.txt"
    path.write_bytes(b"https://git.test/a\n" + line + b"\nhttps://git.test/b\n")
    assert names(all_of(path)) == ["git.test/a", f"line 2: {why}", "git.test/b"]


def test_files_that_are_none_of_urls(tmp_path: Path) -> None:
    """One that is far too long, one that is gone, one that never ends."""
    path = tmp_path / "urls.txt"
    with path.open("wb") as file:
        file.truncate(local.LARGEST_FILE + 1)
    assert names(all_of(path)) == ["it has more than 16 MiB: a file of URLs has one on each line"]
    target = read_target(str(path))
    path.unlink()
    assert names(list(listed(target, Asking().access))) == ["it cannot be read: No such file or directory"]
    path.write_bytes(b"x\n" * 5_000)
    assert names(all_of(path))[-1] == "4,000 more entries cannot be taken, for reasons like these"


@given(st.binary(max_size=200).filter(lambda content: content.strip()))
def test_any_file(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever is in it, a URL that comes of it is plain, and reasons are fit to be shown."""
    path = tmp_path_factory.getbasetemp() / "any.txt"
    path.write_bytes(content)
    for one in all_of(path):
        if isinstance(one, Remote):
            assert one.url.isascii()
            assert one.url.isprintable()
        else:
            assert one.why.isprintable()
