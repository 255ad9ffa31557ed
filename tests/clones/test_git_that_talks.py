"""The git that talks to hosts: what it is told, and what nobody else is."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from git_hosts import Host, advertisement, pkt, told
from git_server import ON
from oakum.scanner.logins import Login
from oakum.scanner.net import Outbound
from oakum.scanner.sources.clones import CloneError, Clones, Reach, asked, network
from oakum.scanner.sources.clones.network import Helpers, filled
from oakum.scanner.sources.clones.reach import basic, place_of
from oakum.scanner.sources.git import end_all
from oakum.scanner.swept import Remote
from servers import serving


def processes(about: str = "") -> str:
    """The arguments and environments of all processes that are there, or of those that hold this."""
    out = ""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            told = b"".join((folder / name).read_bytes() for name in ("cmdline", "environ")).decode("utf-8", "replace")
        except OSError:
            continue
        out += told if about in told else ""
    return out


def listed(remote: Remote, reach: Reach) -> bytes:
    """What git itself lists, with all that oakum tells it."""
    return network.list_remote(place_of(remote), reach)


needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")


@needs_proc
def test_a_token_stands_in_no_argument_environment_or_file(host: Host, clones: Clones, tmp_path: Path) -> None:
    """While a server holds the fetch, in any of its steps, everybody on the machine may look."""
    token = "very-" + "secret-token"
    seen: list[str] = []

    def look(request: BaseHTTPRequestHandler) -> object:
        seen.append(f"{request.path} {processes()}")
        return ON

    host.server.mishaps["/web.git"] = look
    host.server.logins = {"me": token}
    with clones.held(host.remote(), host.with_login("me", token)):
        pass
    with pytest.raises(CloneError) as caught, clones.held(host.remote(), host.with_login("me", token + "s")):
        pass
    with pytest.raises(CloneError, match="SOME_TOKEN"):
        listed(host.remote(), host.with_login("me", token + "s"))
    of_git = [each.split(" ")[0] for each in seen if host.server.url in each]
    assert set(of_git) == {"/web.git/info/refs?service=git-upload-pack", "/web.git/git-upload-pack"}
    assert not any(token in each for each in seen)
    assert token not in str(caught.value)
    written = b"".join(path.read_bytes() for path in (tmp_path / "clones").rglob("*") if path.is_file())
    assert token.encode() not in written


@needs_proc
def test_git_finds_no_home_and_sends_no_login_that_there_is_not(host: Host, clones: Clones) -> None:
    """Without a home curl asks passwd where ~/.netrc is; and git that is to send a login at once wants one for what is
    public, from 2.46 on."""
    seen: list[str] = []

    def look(request: BaseHTTPRequestHandler) -> object:
        seen.append(processes(host.server.url))
        return ON

    host.server.mishaps["/web.git"] = look
    for reach in (host.reach, host.with_login("me", "word")):
        with clones.held(host.remote(), reach):
            pass
        there = "".join(seen)
        assert f"\0HOME={os.devnull}\0" in there
        assert ("proactiveAuth=basic" in there) is (reach is not host.reach)
        seen.clear()


def test_a_private_repository_is_fetched_with_its_login(host: Host, clones: Clones) -> None:
    """Of name and password, whatever signs they hold."""
    host.server.logins = {"me": 'pass=word "quoted" \\ $x'}
    with clones.held(host.remote(), host.with_login("me", 'pass=word "quoted" \\ $x')) as clone:
        assert clone.fresh
    with pytest.raises(CloneError, match="SOME_TOKEN"), clones.held(host.remote(), host.with_login("me", "other")):
        pass
    for word, message in (("a\nb=c", "line break"), ("x" * 99_999, "longer than"), ("other", "SOME_TOKEN")):
        with pytest.raises(CloneError, match=message):
            listed(host.remote(), host.with_login("me", word))


def test_redirects_are_not_followed(host: Host, clones: Clones) -> None:
    """They would lead the token to another host."""

    def away(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", f"{host.server.url}/other.git/info/refs?service=git-upload-pack")
        request.send_header("Content-Length", "0")
        request.end_headers()

    host.server.mishaps["/web.git"] = away
    with pytest.raises(CloneError, match="moved"), clones.held(host.remote(), host.reach):
        pass
    with pytest.raises(CloneError, match="moved"):
        listed(host.remote(), host.reach)
    assert not [path for _, path, _ in host.server.asked if "other" in path]


def test_the_user_s_settings_of_git_are_not_read(host: Host, clones: Clones, tmp_path: Path) -> None:
    """One of them could run a program, or send the fetch elsewhere."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(f'[url "{host.server.url}/elsewhere/"]\n\tinsteadOf = {host.server.url}/\n')
    (home / ".netrc").write_text("machine 127.0.0.1 login me " + "password from-netrc\n")
    reach = replace(host.reach, environment=dict(os.environ) | {"HOME": str(home), "GIT_TRACE": "1"})
    with clones.held(host.remote(), reach):
        pass
    assert not [path for _, path, headers in host.server.asked if "elsewhere" in path or "authorization" in headers]


def test_private_addresses_are_not_asked_unless_they_may_be(host: Host) -> None:
    """The address is checked here, and git connects to the one that was checked."""
    remote = Remote("x", "x", "https://metadata.google.internal/x.git", "t")
    for reach in (host.reach, replace(host.reach, outbound=Outbound())):
        for ask in (asked, listed):
            with pytest.raises(CloneError, match="metadata"):
                ask(remote, reach)
    for ask in (asked, listed):
        with pytest.raises(CloneError, match="no address of the internet"):
            ask(host.remote(), replace(host.reach, outbound=Outbound()))
    assert host.server.asked == []


@pytest.mark.parametrize("url", ["https://169.254.169.254/x.git", "ssh://0xa9fea9fe/x.git", "ssh://[fd00:ec2::254]/x"])
def test_metadata_services_are_never_asked(host: Host, ssh: Reach, clones: Clones, tmp_path: Path, url: str) -> None:
    """Whatever else may be, and by ssh neither."""
    with pytest.raises(CloneError, match="metadata"), clones.held(Remote("x", "x", url, "t"), ssh):
        pass
    assert not (tmp_path / "told").exists()


def test_an_address_of_ipv6_is_its_own_name(host: Host) -> None:
    """Curl takes none for a name that it is told the address of."""

    class Nothing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6

    try:
        server = Server(("::1", 0), Nothing)
    except OSError:
        pytest.skip("needs IPv6")
    with server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            remote = Remote("x", "x", f"http://[::1]:{server.server_port}/x.git", "t")
            with pytest.raises(CloneError, match="no such repository") as caught:
                listed(remote, host.reach)
        finally:
            server.shutdown()
    assert caught.value.gone


def test_git_takes_the_proxy_that_oakum_takes(host: Host) -> None:
    """One that is written otherwise than git wants it, and excepted networks that curl of old does not know."""
    asked_for: list[tuple[str, str]] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked_for.append((self.path, self.headers.get("Proxy-Authorization", "")))
            self.send_error(502)

        def log_message(self, *_: object) -> None:
            pass

    with serving(Proxy) as url:
        named = {"HTTPS_PROXY": url.replace("http://", "me:word@"), "NO_PROXY": "10.0.0.0/8, .other.test"}
        reach = replace(
            host.reach,
            environment=dict(os.environ) | named | {"ALL_PROXY": "http://127.0.0.1:9"},
            outbound=replace(host.reach.outbound, environment=named),
        )
        remote = Remote("x", "x", "https://git.example.test/x.git", "t")
        for ask in (asked, listed):
            with pytest.raises(CloneError):
                ask(remote, reach)
    assert asked_for == [("git.example.test:443", basic(Login("", "me", "word"))["Authorization"])] * 2


def test_what_a_host_says_besides_decides_nothing(host: Host, clones: Clones) -> None:
    """Else it could have its findings taken for gone, or our disk for full."""
    head = host.work.git("rev-parse", "HEAD")
    said = b"\2returned error: 404\nNo space left on device\n"
    host.server.mishaps["/web.git/info"] = told("advertisement", advertisement([("refs/heads/main", head)]))
    host.server.mishaps["/web.git/git-upload-pack"] = told("result", pkt(b"NAK\n") + pkt(said) + pkt(b"\3no") + b"0000")
    with pytest.raises(CloneError) as caught, clones.held(host.remote(), host.reach):
        pass
    assert not caught.value.gone
    assert "disk" not in str(caught.value)
    assert "no" in str(caught.value)


def test_words_without_end_are_not_kept(host: Host, clones: Clones) -> None:
    """The last of them are, for there stands why it failed."""
    head = host.work.git("rev-parse", "HEAD")
    host.server.mishaps["/web.git/info"] = told("advertisement", advertisement([("refs/heads/main", head)]))
    lines = pkt(b"\2" + b"word\n" * 10_000) * 40
    host.server.mishaps["/web.git/git-upload-pack"] = told(
        "result", pkt(b"NAK\n") + lines + pkt(b"\3the end") + b"0000"
    )
    with pytest.raises(CloneError, match="bad pack header"), clones.held(host.remote(), host.reach):
        pass


def test_without_git_it_is_said(host: Host, clones: Clones, tmp_path: Path) -> None:
    """And what to install."""
    reach = replace(host.reach, environment={"PATH": str(tmp_path)})
    with pytest.raises(CloneError, match=re.escape("https://git-scm.com")), clones.held(host.remote(), reach):
        pass


def test_all_of_git_ends_with_this_process(host: Host, clones: Clones) -> None:
    """Where the sweep is stopped, its git is, too."""
    asked_for = threading.Event()

    def hang(request: BaseHTTPRequestHandler) -> None:
        asked_for.set()
        time.sleep(2)

    host.server.mishaps["/web.git/git-upload-pack"] = hang
    failed: list[CloneError] = []

    def fetch() -> None:
        try:
            with clones.held(host.remote(), host.reach):
                pass
        except CloneError as error:
            failed.append(error)

    thread = threading.Thread(target=fetch)
    begun = time.monotonic()
    thread.start()
    assert asked_for.wait(5)
    end_all()
    thread.join()
    assert failed
    assert time.monotonic() - begun < 1.9


_GONE = (True, False, "no such repository")

# --- over ssh --------------------------------------------------------------------------------------------------------


@pytest.fixture
def ssh(host: Host, tmp_path: Path) -> Reach:
    """A program `ssh` that runs what it is told on this machine, and writes down its arguments. It stands where a real
    sshd would have to be set up; git speaks to a real git through it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "ssh"
    program.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/told\nfor last; do :; done\nexec sh -c "$last"\n')
    program.chmod(0o755)
    environment = dict(os.environ) | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    return replace(host.reach, environment=environment)


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_over_ssh(host: Host, ssh: Reach, clones: Clones, tmp_path: Path) -> None:
    """With the user's own keys and nobody asked at a terminal."""
    remote = Remote("ssh", "acme/web", f"ssh://git@host.test{host.root}/web.git", "file")
    assert asked(remote, ssh) == asked(host.remote(), host.reach)
    with clones.held(remote, ssh) as clone:
        assert clone.fresh
    written = (tmp_path / "told").read_text()
    assert "BatchMode=yes" in written
    assert "git@host.test" in written


def says(tmp_path: Path, script: str) -> None:
    """Has the program `ssh` do this."""
    (tmp_path / "bin" / "ssh").write_text(f"#!/bin/sh\n{script}\n")


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
@pytest.mark.parametrize(
    ("words", "gone", "passing", "message"),
    [
        ("ERROR: Repository not found.", True, False, "no such repository"),
        ("ERROR: The project you were looking for could not be found or you don't have permission to view it.", *_GONE),
        ("fatal: '/x' does not appear to be a git repository", *_GONE),
        ("git@host.test: Permission denied (publickey).", False, False, "none of the keys"),
        ("Host key verification failed.", False, False, "the key of host.test is not known"),
        ("ssh: connect to host host.test port 22: Connection refused", False, True, "refused"),
    ],
)
def test_what_ssh_says(
    ssh: Reach, clones: Clones, tmp_path: Path, words: str, gone: bool, passing: bool, message: str
) -> None:
    """What hosts say where there is nothing for us, and what a person has to do."""
    says(tmp_path, f'echo "{words}" >&2; exit 255')
    remote = Remote("ssh", "acme/web", "ssh://git@host.test/acme/web.git", "file")
    with pytest.raises(CloneError, match=message) as caught, clones.held(remote, ssh):
        pass
    with pytest.raises(CloneError, match=message):
        asked(remote, ssh)
    assert (caught.value.gone, caught.value.passing) == (gone, passing)


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_what_ssh_leaves_behind_is_not_waited_for(host: Host, ssh: Reach, tmp_path: Path) -> None:
    """As a master for the connections to come is; it has our pipe."""
    says(tmp_path, f'for last; do :; done\nsleep 5 &\necho $! >{tmp_path}/left\nexec sh -c "$last"')
    begun = time.monotonic()
    remote = Remote("ssh", "acme/web", f"ssh://git@host.test{host.root}/web.git", "file")
    try:
        assert asked(remote, ssh).refs == 2
        assert time.monotonic() - begun < 3
    finally:
        os.kill(int((tmp_path / "left").read_text()), signal.SIGTERM)


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_an_ssh_that_is_silent_is_ended(ssh: Reach, tmp_path: Path) -> None:
    """And with it whatever it has started."""
    says(tmp_path, f"sleep 30 & echo $! >{tmp_path}/left; wait")
    with pytest.raises(CloneError, match="not fetched within"):
        asked(Remote("ssh", "acme/web", "ssh://git@host.test/acme/web.git", "file"), replace(ssh, seconds=0.3))
    left = Path(f"/proc/{(tmp_path / 'left').read_text().strip()}/cmdline")
    assert not left.exists() or not left.read_bytes()


# --- the user's credential helpers -----------------------------------------------------------------------------------


@pytest.fixture
def helper(tmp_path: Path) -> dict[str, str]:
    """An environment in which git has a credential helper that counts how often it is asked."""
    (tmp_path / ".gitconfig").write_text(
        f'[credential]\n\thelper = "!f() {{ echo asked >>{tmp_path}/count; cat >>{tmp_path}/given;'
        ' echo username=me; echo password=from-helper; }; f"\n'
    )
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_credential_helpers_are_asked_once_for_each_host(helper: dict[str, str], tmp_path: Path) -> None:
    """A helper may take a second, and there are a thousand repositories."""
    helpers = Helpers(helper)
    expected = Login("git.example.test", "me", "from-helper", "git's credential helper")
    assert [helpers(f"https://git.example.test/{name}.git") for name in "abc"] == [expected] * 3
    assert (tmp_path / "count").read_text() == "asked\n"
    assert helpers("ssh://git@git.example.test/a.git") is None


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_many_threads_ask_a_helper_once(helper: dict[str, str], tmp_path: Path) -> None:
    """It may be a window that opens."""
    helpers = Helpers(helper)
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(helpers, [f"https://git.example.test/{name}.git" for name in range(8)]))) == 1
    assert (tmp_path / "count").read_text() == "asked\n"
    assert "host=git.example.test\n" in (tmp_path / "given").read_text()


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_a_helper_that_hangs_has_nothing(helper: dict[str, str], tmp_path: Path, monkeypatch: Any) -> None:
    """It waits for somebody who is asleep."""
    monkeypatch.setattr(network, "FILL", 0.2)
    (tmp_path / ".gitconfig").write_text('[credential]\n\thelper = "!sleep 20; f"\n')
    begun = time.monotonic()
    assert Helpers(helper)("https://git.example.test/a.git") is None
    assert time.monotonic() - begun < 2


def test_without_a_helper_nobody_is_asked(tmp_path: Path) -> None:
    """Not at a terminal either."""
    assert filled("https", "git.example.test", {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}) is None
