"""What a host says of a repository's refs: a digest that changes when, and only when, they do."""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from git_hosts import QUICK, Host, advertisement, endless, pkt, told
from git_repository import GitRepository
from hypothesis import given, settings
from hypothesis import strategies as st
from oakum.scanner.sources.clones import Advertised, CloneError, advertised, asked
from oakum.scanner.sources.clones.reach import basic
from oakum.scanner.sources.clones.refs import _of_lines, _of_packets, _packets
from oakum.scanner.swept import Remote


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
    assert read(advertisement(mixed, agent="git/3")) == read(advertisement(given_))


@settings(max_examples=50)
@given(refs, refs, st.sampled_from(["refs/heads/main", "refs/heads/other"]))
def test_other_refs_or_another_head_have_another_digest(
    one: list[tuple[str, str]], other: list[tuple[str, str]], head: str
) -> None:
    """And the same ones the same."""
    same = one == other and head == "refs/heads/main"
    assert (read(advertisement(one)).digest == read(advertisement(other, head)).digest) is same


@given(st.binary(max_size=300))
def test_no_answer_does_more_than_fail(body: bytes) -> None:
    """Whatever bytes a server sends."""
    try:
        read(body)
    except CloneError:
        return


@pytest.mark.parametrize(
    "packet", [b"0004", b"0003", b"+004", b"0_0f", pkt(b"a" * 40 + b" refs/x\n" + b"b" * 40 + b" refs/y\n")]
)
def test_what_is_no_packet_line_ends_it(packet: bytes) -> None:
    """An empty one is not taken for the end, nor two refs in one for two."""
    body = advertisement([("refs/heads/main", "c" * 40)])
    with pytest.raises(CloneError):
        read(body[:-4] + packet + b"0000")


@settings(max_examples=50)
@given(refs.filter(bool), st.data())
def test_an_answer_that_is_cut_off_is_not_taken_for_a_shorter_one(
    of: list[tuple[str, str]], data: st.DataObject
) -> None:
    """Else refs would be gone that are there."""
    body = advertisement(of)
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
        "https://example.test:99999/a.git",
        "file:///a%00b",
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


def test_what_a_shallow_host_says_of_it_is_no_ref(host: Host) -> None:
    """A mirror of a part of a history is a repository, too; when it gets more of it, that is news."""
    host.work.commit({"b.txt": b"b\n"}, "b")
    host.push()
    served, source = str(host.root / "part.git"), (host.root / "web.git").as_uri()
    host.work.git("clone", "--quiet", "--mirror", "--depth=1", source, served)
    part, whole = asked(host.remote("part"), host.reach), asked(host.remote(), host.reach)
    assert (part.head, part.refs) == (whole.head, whole.refs)
    assert part.digest != whole.digest


def test_no_number_of_repositories_and_no_day_is_too_long(host: Host) -> None:
    """The client is kept from one repository to the next, and its limits are those of one."""
    limits = replace(QUICK, pages=1, all=0.01)
    reach = replace(host.reach, outbound=replace(host.reach.outbound, limits=limits))
    assert len({advertised(host.remote(), reach) for _ in range(3)}) == 1
    time.sleep(0.02)
    assert advertised(host.remote(), reach)


def test_a_path_that_holds_more_than_ascii(host: Host) -> None:
    """As hosts give them, and as people write them."""
    (host.root / "web.git").rename(host.root / "wéb ü.git")
    assert asked(host.remote("wéb%20ü"), host.reach).refs == 2


def test_a_host_that_repeats_the_token_is_not_repeated(host: Host) -> None:
    """Its words stand in reports, and in the store."""
    reach = host.with_login("me", "very-" + "secret-token")
    login = reach.login(host.server.url)
    assert login
    for told_back in (login.password, basic(login)["Authorization"].removeprefix("Basic ")):
        line = pkt(b"ERR no such thing for " + told_back.encode())
        host.server.mishaps["/web.git"] = told("advertisement", advertisement([])[:34] + line + b"0000")
        with pytest.raises(CloneError, match="repeats the token") as caught:
            advertised(host.remote(), reach)
        assert told_back not in str(caught.value)
    with pytest.raises(CloneError, match="says: no such thing"):
        advertised(host.remote(), host.reach)


@pytest.mark.long
def test_a_list_without_an_end_and_a_host_that_is_silent(host: Host) -> None:
    """Each is left: after so many bytes, after so many seconds in all, after so many without a byte."""
    line = pkt(b"a" * 40 + b" refs/heads/" + b"x" * 1000 + b"\n")
    head = advertisement([])[:34]
    limits = replace(QUICK, page_bytes=1 << 20, answer=0.4, retries=0)
    reach = replace(host.reach, outbound=replace(host.reach.outbound, limits=limits), silence=0.2)
    begun = time.monotonic()
    for mishap in (
        endless("advertisement", head, lambda: line * 100),
        endless("advertisement", head, lambda: line, pause=0.05),
        endless("advertisement", head, lambda: line, pause=1),
    ):
        host.server.mishaps["/web.git"] = mishap
        with pytest.raises(CloneError) as caught:
            advertised(host.remote(), reach)
        assert caught.value.passing
    assert time.monotonic() - begun < 1.5


def test_five_thousand_refs_are_read_in_milliseconds() -> None:
    """As a busy repository has pull requests; within what a second sweep may take for it."""
    body = advertisement([(f"refs/pull/{number}/head", f"{number:040x}") for number in range(5000)])
    begun = time.process_time()
    assert read(body).refs == 5000
    assert time.process_time() - begun < 0.2
