"""What a host says of a repository's refs: a digest that changes when, and only when, they do."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cloned_host import Host
from git_repository import GitRepository
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.sources.clones import Advertised, CloneError, advertised, asked
from oakum.scanner.sources.clones.refs import _of_lines, _of_packets, _packets
from oakum.scanner.swept import Remote


def pkt(line: bytes) -> bytes:
    """A packet line."""
    return b"%04x%s" % (len(line) + 4, line)


def answer(refs: list[tuple[str, str]], head: str = "refs/heads/main", *, agent: str = "git/2") -> bytes:
    """As a server advertises (gitprotocol-pack(5))."""
    capabilities = f"multi_ack symref=HEAD:{head} object-format=sha1 agent={agent}".encode()
    lines = [f"{name} {ref}".encode() for ref, name in refs] or [b"0" * 40 + b" capabilities^{}"]
    lines[0] += b"\0" + capabilities
    return pkt(b"# service=git-upload-pack\n") + b"0000" + b"".join(pkt(line + b"\n") for line in lines) + b"0000"


def read(body: bytes) -> Advertised:
    """What is read of an answer."""
    return _of_packets(_packets(body), "host")


ids = st.text("0123456789abcdef", min_size=40, max_size=40)
names = st.from_regex(r"refs/(heads|tags|pull)/[a-z0-9/-]{1,20}", fullmatch=True)
refs = st.dictionaries(names, ids, max_size=8).map(lambda of: sorted(of.items()))


@given(refs, st.randoms(use_true_random=False))
def test_the_order_and_the_version_of_the_server_do_not_matter(given_: list[tuple[str, str]], random: object) -> None:
    """A host that was updated, or whose storage lists in another order, has nothing new."""
    mixed = list(given_)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert read(answer(mixed, agent="git/3")) == read(answer(given_))


@given(refs, refs, st.sampled_from(["refs/heads/main", "refs/heads/other"]))
def test_other_refs_or_another_head_have_another_digest(
    one: list[tuple[str, str]], other: list[tuple[str, str]], head: str
) -> None:
    """And the same ones the same."""
    same = one == other and head == "refs/heads/main"
    assert (read(answer(one)).digest == read(answer(other, head)).digest) is same


@given(st.binary(max_size=300))
def test_no_answer_does_more_than_fail(body: bytes) -> None:
    """Whatever bytes a server sends."""
    try:
        read(body)
    except CloneError:
        return


@given(refs.filter(bool), st.data())
def test_an_answer_that_is_cut_off_is_not_taken_for_a_shorter_one(
    of: list[tuple[str, str]], data: st.DataObject
) -> None:
    """Else refs would be gone that are there."""
    body = answer(of)
    with pytest.raises(CloneError):
        read(body[: data.draw(st.integers(0, len(body) - 1))])


def test_over_http_it_is_what_git_itself_lists(host: Host) -> None:
    """With all that the host gives: branches, tags and what they name, pull requests, HEAD."""
    host.work.git("tag", "-a", "v1", "-m", "one")
    host.work.git("update-ref", "refs/pull/7/head", "HEAD")
    host.push()
    listed = subprocess.run(
        ["git", "ls-remote", "--symref", str(host.root / "web.git")], capture_output=True, check=True
    ).stdout
    told = asked(host.remote(), host.reach)
    assert told == _of_lines(listed)
    assert (told.head, told.refs) == ("main", 5)
    assert len(host.server.asked) == 1


def test_a_digest_changes_with_what_is_pushed(host: Host) -> None:
    """A commit, a branch that is moved back, a branch more."""
    digests = [advertised(host.remote(), host.reach)]
    for step in (["commit", "--allow-empty", "-qm", "two"], ["reset", "-q", "--hard", "HEAD^"], ["branch", "more"]):
        host.work.git(*step)
        host.push()
        digests.append(advertised(host.remote(), host.reach))
    assert digests[2] == digests[0]
    assert len(set(digests)) == 3


def test_an_empty_repository_and_one_with_longer_names(host: Host) -> None:
    """SHA-256 repositories are repositories, too."""
    GitRepository.create(host.root / "empty.git", "--bare")
    long = GitRepository.create(host.root.parent / "long", "--object-format=sha256")
    long.commit({"a": b"a\n"}, "a")
    long.git("clone", "--quiet", "--bare", str(long.path), str(host.root / "long.git"))
    assert asked(host.remote("empty"), host.reach).refs == 0
    assert asked(host.remote("long"), host.reach).refs == 2


def test_a_login_is_sent_at_once_and_to_that_host_only(host: Host) -> None:
    """So that the limit of the token counts, and not that of those without."""
    host.server.logins = {"me": "secret"}
    assert asked(host.remote(), host.with_login("me", "secret")).refs == 2
    assert [headers.get("authorization", "")[:6] for _, _, headers in host.server.asked] == ["Basic "]


def status(code: int, *headers: tuple[str, str]) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answers with a status."""

    def mishap(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        for name, value in headers:
            request.send_header(name, value)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return mishap


@pytest.mark.parametrize(
    ("code", "gone", "passing", "says"),
    [
        (301, True, False, "has moved (renamed?)"),
        (401, True, False, "needs a token"),
        (404, True, False, "deleted or made private"),
        (403, True, False, "deleted or made private"),
        (500, False, True, "500"),
        (429, False, True, "429"),
        (418, False, False, "no git repository"),
    ],
)
def test_what_a_status_means(host: Host, code: int, gone: bool, passing: bool, says: str) -> None:
    """Whether it is worth trying again, and what to do."""
    host.server.mishaps["/web.git"] = status(code, ("Location", "http://169.254.169.254/web.git"))
    with pytest.raises(CloneError) as caught:
        advertised(host.remote(), host.reach)
    assert says in str(caught.value)
    assert (caught.value.gone, caught.value.passing) == (gone, passing)


def test_a_page_to_log_in_is_not_refs(host: Host) -> None:
    """Nor what calls itself so and is none."""

    def page(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Length", "6")
        request.end_headers()
        request.wfile.write(b"<html>")

    host.server.mishaps["/web.git"] = page
    with pytest.raises(CloneError, match="something else than refs"):
        advertised(host.remote(), host.reach)


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c id",
        "--upload-pack=id",
        "https://me:secret@example.test/a.git",
        "http://example.test/a.git",
        "ssh://-oProxyCommand=id/a",
        "git://example.test/a.git",
        "https://example.test/a.git\nssh://x",
        "https://example.test",
        "file:relative",
        "file://host/path",
    ],
)
def test_what_git_would_take_for_more_than_a_url_is_refused(host: Host, url: str) -> None:
    """Before anything is asked or run."""
    with pytest.raises(CloneError) as caught:
        advertised(replace(host.remote(), url=url), host.reach)
    assert "secret" not in str(caught.value)
    assert host.server.asked == []


def test_what_lies_here_is_told_by_its_state(tmp_path: Path, host: Host) -> None:
    """A bare one; one with a work tree has to be looked at each time."""
    here = Remote("here", "web", (host.root / "web.git").as_uri(), "folder")
    before = advertised(here, host.reach)
    host.work.commit({"b.txt": b"second\n"}, "second")
    assert advertised(here, host.reach) == before != ""
    host.push()
    assert advertised(here, host.reach) != before
    assert advertised(Remote("work", "work", host.work.path.as_uri(), "folder"), host.reach) == ""
    with pytest.raises(CloneError, match="no repository"):
        advertised(Remote("gone", "gone", (tmp_path / "gone").as_uri(), "folder"), host.reach)


def test_digests_are_sha_256(host: Host) -> None:
    """Of sorted lines, as the module says."""
    head = host.work.git("rev-parse", "HEAD")
    lines = [f"{head} HEAD".encode(), f"{head} refs/heads/main".encode(), b"HEAD refs/heads/main"]
    assert advertised(host.remote(), host.reach) == hashlib.sha256(b"\n".join(lines)).hexdigest()
