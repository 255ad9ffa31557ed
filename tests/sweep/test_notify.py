"""Messages to webhooks: each arrives once or is told to be missing, whatever the receiver does."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from oakum.scanner.errors import UsageError
from oakum.scanner.net import Outbound
from oakum.scanner.store import Store, open_store
from oakum.scanner.sweep import notify
from oakum.scanner.sweep.notify import Hook, Messenger, read_hook
from servers import answer, free_port, serving

sys.path.append(str(Path(__file__).parents[1] / "store"))
from sweeping import KEY, day, found, remote, searched

SECRET_PATH = "/services/T0/B0/" + "xyzzy" * 4
Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Receiver:
    """A webhook: what it was sent, and how it answers, in turn (after the last one: with 200)."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    got: list[tuple[dict[str, str], Any]] = field(default_factory=list)


@contextmanager
def receiver(*answers: Answer) -> Iterator[Receiver]:
    """A real server on loopback."""
    made = Receiver(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append(({name.lower(): value for name, value in self.headers.items()}, json.loads(body)))
            (made.answers.pop(0) if made.answers else lambda request: answer(request, b"ok"))(self)

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as url:
        made.url = url + SECRET_PATH
        yield made


def status(code: int, *headers: tuple[str, str]) -> Answer:
    """Answers with a status."""

    def reply(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        for name, value in (*headers, ("Content-Length", "0")):
            request.send_header(name, value)
        request.end_headers()

    return reply


def reset(request: BaseHTTPRequestHandler) -> None:
    """Breaks the connection when the message has been read."""
    request.connection.shutdown(socket.SHUT_RDWR)


def stall(request: BaseHTTPRequestHandler) -> None:
    """Answers too late."""
    time.sleep(1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with two sweeps that brought something each, and a message for a hook laid down for both."""
    made = open_store(str(tmp_path / "sweeps.db"), KEY, day(0), create=True)
    for number in range(2):
        sweep = made.begin(["github:acme"], day(number))
        made.list(sweep, [remote("web")], [], day(number))
        findings = [found(name, "head") for name in ("one", "two")[: number + 1]]
        made.commit(sweep, [searched(remote("web"), *findings)], day(number))
        made.finish(sweep, (), ["generic:HOOK"], "low", day(number))
    yield made
    made.close()


def send(store: Store, url: str, kind: str = "generic") -> tuple[list[str], list[float]]:
    """Send what waits: the notes, and the pauses that were made."""
    notes: list[str] = []
    pauses: list[float] = []
    hook = read_hook(f"{kind}:HOOK", {"HOOK": url})
    Messenger(
        {f"{kind}:HOOK": hook}, Outbound(), lambda: datetime(2027, 4, 1, tzinfo=UTC), notes.append, pauses.append
    ).send(store)
    return notes, pauses


def counts(store: Store) -> dict[str, int]:
    """Messages by what became of them."""
    return {name: number for name, number in store.status()["deliveries"]["counts"].items() if number}


def test_each_message_is_sent_once_oldest_first(store: Store) -> None:
    """With a key by which a receiver knows it again."""
    with receiver() as hook:
        assert send(store, hook.url) == ([], [])
        assert send(store, hook.url) == ([], [])
    assert [body["sweep"] for _, body in hook.got] == [1, 2]
    assert all(headers["idempotency-key"] == body["id"] for headers, body in hook.got)
    assert len({body["id"] for _, body in hook.got}) == 2
    assert counts(store) == {"sent": 2}


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410])
def test_what_was_refused_is_sent_with_the_next_sweep(store: Store, code: int) -> None:
    """It certainly did not arrive; the note names the host, and nothing of the URL's secret."""
    with receiver(status(code)) as hook:
        notes, _ = send(store, hook.url)
        assert notes == [
            f"generic:HOOK: a message did not arrive (127.0.0.1 answers {code}); it is sent with the next sweep"
        ]
        assert counts(store) == {"waiting": 1, "sent": 1}
        assert send(store, hook.url)[0] == []
    assert [body["sweep"] for _, body in hook.got] == [1, 2, 1]


def test_a_receiver_that_wants_it_later_gets_it_later(store: Store) -> None:
    """As long as that is not too long."""
    busy = status(429, ("Retry-After", "7"))
    with receiver(busy, busy) as hook:
        assert send(store, hook.url) == ([], [7.0, 7.0])
        assert counts(store) == {"sent": 2}
    with receiver(status(429, ("Retry-After", "7200"))) as hook:
        assert send(store, hook.url) == ([], [])  # nothing waits


@pytest.mark.parametrize("code", [429, 503])
def test_too_late_is_the_next_sweep(store: Store, code: int) -> None:
    """Nobody waits two hours for it, and a receiver that takes none now is not sent the next one."""
    with receiver(status(code, ("Retry-After", "7200"))) as hook:
        notes, pauses = send(store, hook.url)
    assert (len(notes), pauses, len(hook.got)) == (1, [], 1)
    assert counts(store) == {"waiting": 2}


@pytest.mark.parametrize("what", [status(500), status(502), reset, stall])
def test_what_may_have_arrived_is_never_sent_again(store: Store, what: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second copy is worse than a gap that is told: the next message says that one may be missing."""
    from dataclasses import replace

    monkeypatch.setattr(notify, "LIMITS", replace(notify.LIMITS, silence=0.3))
    with receiver(what) as hook:
        notes, _ = send(store, hook.url)
        assert len(notes) == 1
        assert "may not have arrived" in notes[0]
        assert SECRET_PATH not in notes[0]
        assert counts(store) == {"sent": 1, "may have arrived": 1}
        send(store, hook.url)
    assert [(body["sweep"], body["missing"]) for _, body in hook.got] == [(1, 0), (2, 1)]


def test_a_process_that_dies_while_it_sends(store: Store) -> None:
    """What was being sent is not sent again by the next one."""
    (first, _) = store.deliveries()
    store.sending(first.id)
    with receiver() as hook:
        send(store, hook.url)
    assert [(body["sweep"], body["missing"]) for _, body in hook.got] == [(2, 1)]


def test_nobody_there(store: Store) -> None:
    """It is tried with the next sweeps, one message at a time, and each is given up after the fifth try."""
    url = f"http://127.0.0.1:{free_port()}{SECRET_PATH}"
    for _ in range(10):
        notes, _ = send(store, url)
        assert len(notes) == 1
        assert all("did not arrive" in note and SECRET_PATH not in note for note in notes)
    assert counts(store) == {"given up": 2}
    assert SECRET_PATH not in json.dumps(store.status())


def test_messages_of_other_hooks_wait(store: Store) -> None:
    """Until a sweep names theirs."""
    with receiver() as hook:
        send(store, hook.url, "slack")
    assert hook.got == []
    assert counts(store) == {"waiting": 2}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("slack", "write generic:VARIABLE, slack:VARIABLE, teams:VARIABLE"),
        ("irc:HOOK", "write generic:VARIABLE"),
        ("slack:https://hooks.test/x", "write generic:VARIABLE"),
        ("slack:MISSING", "put the URL there"),
        ("slack:PLAIN", "no https:// URL"),
        ("slack:NONSENSE", "no https:// URL"),
    ],
)
def test_hooks_that_are_none(text: str, says: str) -> None:
    """Said before the sweep begins; the URL is a credential, and in no message."""
    environment = {"PLAIN": "http://hooks.test" + SECRET_PATH, "NONSENSE": "xyzzy xyzzy", "HOOK": "https://h.test"}
    with pytest.raises(UsageError) as caught:
        read_hook(text, environment)
    assert says in str(caught.value)
    assert "xyzzy" not in str(caught.value)


def test_the_url_of_a_hook_is_not_shown_by_accident() -> None:
    """A hook in a traceback or a log."""
    hook = read_hook("slack:HOOK", {"HOOK": "https://hooks.slack.test" + SECRET_PATH})
    assert isinstance(hook, Hook)
    assert "xyzzy" not in repr(hook)
