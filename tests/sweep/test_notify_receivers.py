"""News to webhooks: a real receiver, a real store, and each message at most once, whatever happens."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from kept_stores import KEY, found, night, opened, remote, searched, sweep
from oakum.detectors import samples
from oakum.scanner.errors import UsageError
from oakum.scanner.net import Limits, Outbound
from oakum.scanner.report.messages import MESSAGES
from oakum.scanner.store import Store
from oakum.scanner.sweep import notify
from oakum.scanner.sweep.notify import Messenger, read_hook
from servers import free_port
from webhook_receiver import Answer, Received, hang_up, receiver, reset, status

HOOK = "generic:NEWS"
SECRET = samples.build("alnum:24", Random("webhook")).decode()
"""What stands in the path of the webhook, and nowhere else."""
OK = status(200, "ok")
LATE = night(9)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one message that waits."""
    path = tmp_path_factory.mktemp("filled") / "sweeps.db"
    with closing(opened(path)) as made:
        tell(made, 1)
    return path


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> Iterator[Store]:
    """A copy of it."""
    made = opened(Path(shutil.copy(filled, tmp_path / "sweeps.db")))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that stalls is not waited for as long as in life."""
    monkeypatch.setattr(notify, "LIMITS", Limits(connect=2, silence=0.3, answer=0.6, page_bytes=1 << 20))


def tell(store: Store, number: int, *hooks: str) -> None:
    """A sweep with news."""
    sweep(store, number, searched(remote("acme/web"), found(f"night {number}")), hooks=hooks or [HOOK])


def send(
    store: Store, url: str, *names: str, environment: dict[str, str] | None = None
) -> tuple[list[str], list[float]]:
    """Send what waits; what was told, and how long was waited."""
    said: list[str] = []
    waited: list[float] = []
    hooks = [read_hook(name, {name.partition(":")[2]: url}) for name in names or [HOOK]]
    by_name = {hook.name: hook for hook in hooks}
    Messenger(by_name, Outbound(environment or {}), lambda: LATE, said.append, waited.append).send(store)
    return said, waited


def standing(store: Store) -> dict[str, int]:
    """Messages by what became of them, where there are any."""
    return {name: number for name, number in store.status()["deliveries"]["counts"].items() if number}


def whys(store: Store) -> list[str]:
    """Why those that are open are so."""
    return [one["why"] for one in store.status()["deliveries"]["open"]]


@pytest.fixture
def _nothing_told(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> Iterator[None]:
    """The URL of the webhook stands neither in a log nor in the store."""
    with caplog.at_level(logging.DEBUG):
        yield
    assert SECRET not in caplog.text
    for file in tmp_path.iterdir():
        assert SECRET.encode() not in file.read_bytes()


class TestArrives:
    """It is sent once, and noted."""

    @pytest.mark.parametrize("number", [200, 202, 204])
    def test_taken(self, store: Store, number: int) -> None:
        """With what a receiver knows it by; a second call sends nothing."""
        with receiver(status(number)) as got:
            assert send(store, got.url) == ([], [])
            assert send(store, got.url) == ([], [])
        (body,), (headers,) = got.bodies, got.headers
        assert headers["content-type"] == "application/json"
        assert body["id"] == headers["idempotency-key"]
        assert (body["event"], body["sweep"], len(body["changes"]), body["missing"]) == ("oakum.sweep", 1, 1, 0)
        assert standing(store) == {"sent": 1}

    @pytest.mark.parametrize("kind", sorted(MESSAGES))
    def test_each_kind(self, tmp_path: Path, kind: str) -> None:
        """The body is the kind's."""
        made = opened(tmp_path / "kinds.db")
        tell(made, 1, f"{kind}:NEWS")
        (delivery,) = made.deliveries()
        with receiver(OK) as got:
            assert send(made, got.url, f"{kind}:NEWS") == ([], [])
        assert got.bodies == [json.loads(MESSAGES[kind](delivery.news, delivery.key, 0))]
        made.close()

    def test_several_nights_in_order(self, store: Store) -> None:
        """What could not be sent before comes first."""
        tell(store, 2)
        tell(store, 3)
        with receiver(OK) as got:
            send(store, got.url)
        assert [body["sweep"] for body in got.bodies] == [1, 2, 3]

    def test_those_of_others_wait_and_hold_up_nothing(self, store: Store) -> None:
        """A hook that nobody names any more has messages as long as the store lives."""
        for number in range(2, 27):
            tell(store, number, "slack:GONE")
        tell(store, 27)
        with receiver(OK) as got:
            assert send(store, got.url) == ([], [])
        assert [body["sweep"] for body in got.bodies] == [1, 27]
        assert standing(store) == {"sent": 2, "waiting": 25}

    def test_without_hooks_nothing_is_sent(self, store: Store) -> None:
        """What waits, waits."""
        Messenger({}, Outbound(), lambda: LATE, pytest.fail).send(store)
        assert standing(store) == {"waiting": 1}


class TestDoesNotArrive:
    """What certainly did not is sent with the next sweep, five times at most."""

    @pytest.mark.parametrize("number", [400, 403, 404, 410])
    def test_refused(self, store: Store, number: int) -> None:
        """The receiver says no: nothing is waited for."""
        with receiver(status(number, "invalid_blocks"), OK) as got:
            assert send(store, got.url) == (
                [f"{HOOK}: a message did not arrive (127.0.0.1 answers {number}); it is sent with the next sweep"],
                [],
            )
            assert (standing(store), whys(store)) == ({"waiting": 1}, [f"127.0.0.1 answers {number}"])
            assert send(store, got.url) == ([], [])
        assert [body["id"] for body in got.bodies] == [got.bodies[0]["id"]] * 2, "the same message"
        assert standing(store) == {"sent": 1}

    def test_redirects_are_not_followed(self, store: Store) -> None:
        """A message goes where its user said."""
        with receiver(OK) as other, receiver(status(307, Location=other.url)) as got:
            said, _ = send(store, got.url)
        assert said == [f"{HOOK}: a message did not arrive (127.0.0.1 answers 307); it is sent with the next sweep"]
        assert (len(got.bodies), other.bodies) == (1, [])

    def test_a_refusal_does_not_hold_up_others(self, store: Store) -> None:
        """A message that a receiver does not understand is no reason to keep back the next."""
        tell(store, 2)
        with receiver(status(400), OK) as got:
            send(store, got.url)
        assert [body["sweep"] for body in got.bodies] == [1, 2]
        assert standing(store) == {"sent": 1, "waiting": 1}

    def test_given_up(self, store: Store) -> None:
        """After five sweeps; the next message says that it is missing, until one arrived."""
        with receiver(status(404)) as got:
            for _ in range(6):
                send(store, got.url)
            assert len(got.bodies) == 5
        assert standing(store) == {"given up": 1}
        with receiver(OK) as got:
            for number in (2, 3):
                tell(store, number)
                send(store, got.url)
        assert [body["missing"] for body in got.bodies] == [1, 0]

    def test_nobody_listens(self, store: Store) -> None:
        """The connection is refused: one try is enough for all messages."""
        tell(store, 2)
        said, waited = send(store, f"http://127.0.0.1:{free_port()}/hook")
        assert waited == []
        (line,) = said
        assert line.startswith(f"{HOOK}: a message did not arrive (127.0.0.1: no connection (")
        assert line.endswith("; it is sent with the next sweep")
        assert [one["attempts"] for one in store.status()["deliveries"]["open"]] == [0, 1]

    def test_no_way_out(self, store: Store) -> None:
        """A proxy that is none, or that refuses, has taken nothing."""
        url = f"https://hooks.example.org/{SECRET}"
        for proxy in ("socks5://127.0.0.1:1", f"http://127.0.0.1:{free_port()}"):
            said, _ = send(store, url, environment={"https_proxy": proxy})
            assert [line.partition(" (")[0] for line in said] == [f"{HOOK}: a message did not arrive"]
        assert standing(store) == {"waiting": 1}

    def test_a_proxy_that_refuses(self, store: Store) -> None:
        """It is its answer, and not the receiver's."""
        with receiver(OK) as got:  # knows no CONNECT
            proxy = got.url.removesuffix("/hook")
            said, _ = send(store, f"https://hooks.example.org/{SECRET}", environment={"https_proxy": proxy})
        why = "hooks.example.org: the proxy refuses (501)"
        assert said == [f"{HOOK}: a message did not arrive ({why}); it is sent with the next sweep"]
        assert standing(store) == {"waiting": 1}


class TestWaits:
    """A receiver that wants a message later gets it later."""

    @pytest.mark.parametrize("number", [429, 503])
    def test_then_taken(self, store: Store, number: int) -> None:
        """As long as it asks for, the same message, and told to nobody."""
        with receiver(status(number, Retry_After="7"), status(number, Retry_After="0"), OK) as got:
            assert send(store, got.url) == ([], [7, 1])
        assert [body["id"] for body in got.bodies] == [got.bodies[0]["id"]] * 3
        assert standing(store) == {"sent": 1}

    def test_three_times(self, store: Store) -> None:
        """Then it waits for the next sweep, and so do the others for it."""
        tell(store, 2)
        with receiver(status(429, Retry_After="1")) as got:
            said, waited = send(store, got.url)
        assert (said, waited) == (
            [f"{HOOK}: a message did not arrive (127.0.0.1 answers 429); it is sent with the next sweep"],
            [1, 1],
        )
        assert [body["sweep"] for body in got.bodies] == [1, 1, 1]
        assert standing(store) == {"waiting": 2}

    @pytest.mark.parametrize("pause", ["61", "86400", "Fri, 31 Dec 2049 23:59:59 GMT", "-1e99"])
    def test_no_longer_than_a_minute(self, store: Store, pause: str) -> None:
        """A date counts as longer; so does what is no number."""
        with receiver(status(429, Retry_After=pause)) as got:
            said, waited = send(store, got.url)
        assert (len(said), waited, len(got.bodies)) == (1, [], 1)

    def test_it_may_have_arrived_at_the_second_time(self, store: Store) -> None:
        """What is said of a message is what came of its last try."""
        with receiver(status(429, Retry_After="1"), hang_up) as got:
            said, _ = send(store, got.url)
        assert len(got.bodies) == 2
        assert said[0].startswith(f"{HOOK}: a message may not have arrived (")
        assert standing(store) == {"may have arrived": 1}


STALLED = threading.Event()
"""Set when a test is over, so that no thread of a server waits on."""


def stall(_to: object) -> None:
    """Say nothing for longer than anybody waits."""
    STALLED.wait(2)


def half(to: object) -> None:
    """An answer that is cut off."""
    to.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok")  # type: ignore[attr-defined]
    to.close_connection = True  # type: ignore[attr-defined]


def nonsense(to: object) -> None:
    """No HTTP."""
    to.wfile.write(f"{SECRET} \0\x1b[2J\r\n\r\n".encode())  # type: ignore[attr-defined]
    to.close_connection = True  # type: ignore[attr-defined]


class TestMayHaveArrived:
    """What may have arrived is never sent again, and told."""

    @pytest.mark.parametrize("does", [reset, hang_up, stall, half, nonsense, status(500), status(502), status(503)])
    def test_never_twice(self, store: Store, does: Answer) -> None:
        """The receiver read it, and what became of it is not known; the next message says so."""
        with receiver(does, OK) as got:
            said, waited = send(store, got.url)
            (line,) = said
            assert line.startswith(f"{HOOK}: a message may not have arrived (")
            assert line.endswith("; it is not sent again")
            assert waited == []
            assert send(store, got.url) == ([], [])
            assert (len(got.bodies), standing(store)) == (1, {"may have arrived": 1})
            for number in (2, 3):
                tell(store, number)
                send(store, got.url)
        STALLED.set()
        STALLED.clear()
        assert [(body["sweep"], body["missing"]) for body in got.bodies] == [(1, 0), (2, 1), (3, 0)]

    def test_killed_while_it_is_sent(self, store: Store, tmp_path: Path) -> None:
        """`kill -9` between the message and its answer: it is not sent again, and `sweep status` tells it."""
        sender: list[subprocess.Popen[bytes]] = []

        def kill(_to: object) -> None:
            sender[0].send_signal(signal.SIGKILL)
            sender[0].wait()

        with receiver(kill, OK) as got:
            command = [sys.executable, "-c", _SENDER, str(tmp_path / "sweeps.db"), KEY.hex()]
            sender.append(subprocess.Popen(command, env=os.environ | {"NEWS": got.url}))
            assert sender[0].wait(30) == -signal.SIGKILL
            assert (len(got.bodies), standing(store)) == (1, {"may have arrived": 1})
            assert send(store, got.url) == ([], [])
            tell(store, 2)
            assert send(store, got.url) == ([], [])
        assert [(body["sweep"], body["missing"]) for body in got.bodies] == [(1, 0), (2, 1)]

    def test_killed_before_it_is_sent(self, store: Store) -> None:
        """Nobody knows: at most once is once or never."""
        (delivery,) = store.deliveries()
        store.sending(delivery.id)
        with receiver(OK) as got:
            assert send(store, got.url) == ([], [])
        assert (got.bodies, standing(store)) == ([], {"may have arrived": 1})


_SENDER = """
import os, sys
from datetime import UTC, datetime
from oakum.scanner.net import Outbound
from oakum.scanner.store import open_store
from oakum.scanner.sweep.notify import Messenger, read_hook
now = datetime(2027, 3, 10, tzinfo=UTC)
store = open_store(sys.argv[1], bytes.fromhex(sys.argv[2]), now, create=False)
hook = read_hook("generic:NEWS", os.environ)
Messenger({hook.name: hook}, Outbound({}), lambda: now, print).send(store)
"""


class TestSecrecy:
    """The URL of a webhook is a credential."""

    @pytest.mark.usefixtures("_nothing_told")
    @pytest.mark.parametrize("does", [status(404, SECRET), status(500, SECRET), nonsense, hang_up, status(200, SECRET)])
    def test_it_is_told_nowhere(self, store: Store, does: Answer, capfd: pytest.CaptureFixture[str]) -> None:
        """Neither in what is said nor in a log nor in the store; nor is what the receiver answers."""
        with receiver(does, path=f"/services/{SECRET}?token={SECRET}") as got:
            said, _ = send(store, got.url)
        assert got.paths == [f"/services/{SECRET}?token={SECRET}"]
        assert SECRET not in "".join(said) + "".join(whys(store)) + repr(store.status())
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            (f"https://hooks.example.org/{SECRET}", " https:…"),
            (f"slack:https://hooks.example.org/{SECRET}", " slack:…"),
            (f"generic:{SECRET}/{SECRET}", " generic:…"),
            (f"{SECRET}:NEWS", ""),
            (SECRET, ""),
            ("pigeon:NEWS", " pigeon:…"),
            ("slack", " slack"),
            ("slack:", " slack:…"),
            (":NEWS", ""),
            ("", ""),
            ("slack:\x1b[2J", " slack:…"),
            ("slack:ÄÖ", " slack:…"),
        ],
    )
    def test_one_that_is_written_out_is_not_repeated(self, text: str, shown: str) -> None:
        """Whoever puts it on the command line has it in his log already, but not twice."""
        with pytest.raises(UsageError) as refused:
            read_hook(text, {})
        assert str(refused.value) == (
            f"--notify{shown}: write generic:VARIABLE, slack:VARIABLE, teams:VARIABLE, with the name of the variable "
            "that holds its URL"
        )

    @pytest.mark.parametrize(
        ("url", "says"),
        [
            (None, "there is no such variable, or nothing in it: put the URL there"),
            (" \n", "there is no such variable, or nothing in it: put the URL there"),
            (SECRET, "what it holds is no https:// URL of a webhook"),
            (f"http://hooks.example.org/{SECRET}", "what it holds is no https:// URL of a webhook"),
            (f"https://ada:{SECRET}@hooks.example.org/", "what it holds is no https:// URL of a webhook"),
            (f"https://[{SECRET}/", "what it holds is no https:// URL of a webhook"),
            (f"file:///{SECRET}", "what it holds is no https:// URL of a webhook"),
        ],
    )
    def test_a_variable_that_holds_none(self, url: str | None, says: str) -> None:
        """Its name is said, and not what is in it; nor does the error behind the error."""
        with pytest.raises(UsageError) as refused:
            read_hook("slack:NEWS", {} if url is None else {"NEWS": url})
        assert str(refused.value) == f"--notify slack:NEWS: {says}"
        assert refused.value.__suppress_context__ or refused.value.__context__ is None

    def test_a_hook_does_not_show_it(self) -> None:
        """Whatever prints one."""
        hook = read_hook("slack:NEWS", {"NEWS": f"  https://hooks.example.org/{SECRET}?{SECRET}\n"})
        assert (hook.name, hook.kind, hook.url.target) == ("slack:NEWS", "slack", f"/{SECRET}?{SECRET}")
        assert "hooks.example.org" not in repr(hook)
        messenger = Messenger({hook.name: hook}, Outbound({"NEWS": SECRET}), lambda: LATE, print)
        assert SECRET not in repr(messenger)


def test_a_receiver_that_answers_without_end(store: Store) -> None:
    """It is not read on; what it took, it took."""
    with receiver(status(200, "x" * (2 << 20))) as got:
        said, _ = send(store, got.url)
    assert len(got.bodies) == 1
    assert "may not have arrived" in said[0]


def received(got: Received) -> list[int]:
    """The sweeps of which messages were received."""
    return [body["sweep"] for body in got.bodies]


def test_one_hook_fails_and_the_other_does_not(store: Store) -> None:
    """Each has its own messages."""
    tell(store, 2, HOOK, "generic:OTHER")
    with receiver(OK) as got:
        here = read_hook("generic:OTHER", {"OTHER": got.url})
        gone = read_hook(HOOK, {"NEWS": f"http://127.0.0.1:{free_port()}/"})
        said: list[str] = []
        Messenger({gone.name: gone, here.name: here}, Outbound({}), lambda: LATE, said.append).send(store)
    assert (received(got), len(said)) == ([2], 1)
    assert standing(store) == {"sent": 1, "waiting": 2}
