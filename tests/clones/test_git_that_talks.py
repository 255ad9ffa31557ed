"""The git that talks to hosts: what it is told, and what nobody else is."""

from __future__ import annotations

import os
import secrets
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cloned_host import Host
from oakum.scanner.logins import Login
from oakum.scanner.net import Outbound
from oakum.scanner.sources.clones import CloneError, Clones, Reach, asked
from oakum.scanner.sources.clones.network import Helpers, filled
from oakum.scanner.sources.git import end_all
from oakum.scanner.swept import Remote


def processes() -> str:
    """The arguments and environments of all processes that are there."""
    out = ""
    for folder in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                out += (folder / name).read_bytes().decode("utf-8", "replace")
            except OSError:
                continue
    return out


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_a_token_stands_in_no_argument_environment_or_file(host: Host, clones: Clones, tmp_path: Path) -> None:
    """While a slow server holds the fetch, everybody on the machine may look."""
    token = "very-" + "secret-token"
    seen: list[str] = []

    def slow(request: BaseHTTPRequestHandler) -> None:
        if "authorization" in {name.lower() for name in request.headers}:
            seen.append(processes())
        request.send_response(401 if not seen else 404)
        request.send_header("WWW-Authenticate", 'Basic realm="git"')
        request.send_header("Content-Length", "0")
        request.end_headers()

    host.server.mishaps["/web.git"] = slow
    with pytest.raises(CloneError) as caught, clones.held(host.remote(), host.with_login("me", token)):
        pass
    assert seen
    assert "git" in seen[0]
    assert token not in seen[0]
    assert token not in str(caught.value)
    written = b"".join(path.read_bytes() for path in (tmp_path / "clones").rglob("*") if path.is_file())
    assert token.encode() not in written


def test_a_private_repository_is_fetched_with_its_login(host: Host, clones: Clones) -> None:
    """Of name and password, whatever signs they hold."""
    host.server.logins = {"me": 'pass=word "quoted" \\ $x'}
    with clones.held(host.remote(), host.with_login("me", 'pass=word "quoted" \\ $x')) as clone:
        assert clone.fresh
    with pytest.raises(CloneError, match="SOME_TOKEN"), clones.held(host.remote(), host.with_login("me", "other")):
        pass
    with pytest.raises(CloneError, match="line break"), clones.held(host.remote(), host.with_login("me", "a\nb=c")):
        pass


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
    assert not [path for _, path, _ in host.server.asked if "other" in path]


def test_the_user_s_settings_of_git_are_not_read(host: Host, clones: Clones, tmp_path: Path) -> None:
    """One of them could run a program, or send the fetch elsewhere."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(f'[url "{host.server.url}/elsewhere/"]\n\tinsteadOf = {host.server.url}/\n')
    (home / ".netrc").write_text(f"machine 127.0.0.1 login me password {secrets.token_hex(8)}\n")
    reach = replace(host.reach, environment=dict(os.environ) | {"HOME": str(home), "GIT_TRACE": "1"})
    with clones.held(host.remote(), reach):
        pass
    assert not [path for _, path, headers in host.server.asked if "elsewhere" in path or "authorization" in headers]


def test_private_addresses_are_not_asked_unless_they_may_be(host: Host, clones: Clones) -> None:
    """The address is checked here, and git connects to the one that was checked."""
    remote = Remote("x", "x", "https://metadata.google.internal/x.git", "t")
    for reach in (host.reach, replace(host.reach, outbound=Outbound())):
        with pytest.raises(CloneError), clones.held(remote, reach):
            pass


def test_all_of_git_ends_with_this_process(host: Host, clones: Clones) -> None:
    """Where the sweep is stopped, its git is, too."""
    asked_for = threading.Event()

    def hang(request: BaseHTTPRequestHandler) -> None:
        asked_for.set()
        time.sleep(2)

    host.server.mishaps["/web.git"] = hang
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
    told = (tmp_path / "told").read_text()
    assert "BatchMode=yes" in told
    assert "git@host.test" in told


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


def test_without_a_helper_nobody_is_asked(tmp_path: Path) -> None:
    """Not at a terminal either."""
    assert filled("https", "git.example.test", {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}) is None
