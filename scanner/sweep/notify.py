"""News to webhooks, each message at most once.

That a message is being sent is in the store before it goes out. What certainly did not arrive (no connection, 4xx, a
wish to wait) is tried again in the next sweep; what may have arrived (the time was over, the connection broke, 5xx) is
never sent again, and the next message says so. The URL of a webhook is a credential: it is in an environment variable,
and in no message, store or log.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..errors import OakumError, UsageError
from ..model import clean
from ..net import Limits, Outbound
from ..net.http import Answer, Client, Request, UnansweredError, wished_pause
from ..net.urls import Url, parse
from ..report.messages import MESSAGES
from ..store import Delivery, Store

LIMITS = Limits(connect=10, silence=20, answer=30, page_bytes=1 << 20)
TRIES = 3
"""How often a message is sent that a receiver wants later."""
PATIENCE = 60.0
"""Seconds that a receiver may want to pass before that."""


_KIND = re.compile("[a-z]{1,12}")
_VARIABLE = re.compile("[A-Za-z_][A-Za-z0-9_]{0,99}")


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook: `name` is what was written on the command line, and stands in the store; `url` is a credential."""

    name: str
    kind: str
    url: Url = field(repr=False)


def read_hook(text: str, environment: Mapping[str, str]) -> Hook:
    """A webhook by its kind and the variable that holds its URL (`slack:SLACK_WEBHOOK`). UsageError, which does not
    show the URL."""
    kind, colon, variable = text.partition(":")
    if kind not in MESSAGES or not colon or not _VARIABLE.fullmatch(variable):
        forms = ", ".join(f"{name}:VARIABLE" for name in MESSAGES)
        # No more is shown of what was written: it may be the URL itself.
        shown = f" {kind}{colon and ':…'}" if _KIND.fullmatch(kind) else ""
        raise UsageError(f"--notify{shown}: write {forms}, with the name of the variable that holds its URL")
    url = environment.get(variable, "").strip()
    if not url:
        raise UsageError(f"--notify {kind}:{variable}: there is no such variable, or nothing in it: put the URL there")
    try:
        found = parse(url, plain_http=False)
    except OakumError:
        raise UsageError(f"--notify {kind}:{variable}: what it holds is no https:// URL of a webhook") from None
    return Hook(f"{kind}:{variable}", kind, found)


@dataclass(frozen=True, slots=True)
class Messenger:
    """Sends what waits. `note` is told, in a sentence, what did not arrive; `wait` passes so many seconds."""

    hooks: Mapping[str, Hook]
    outbound: Outbound
    clock: Callable[[], datetime]
    note: Callable[[str], None]
    wait: Callable[[float], None] = time.sleep

    def send(self, store: Store) -> None:
        """All messages for these webhooks that nobody has begun to send; those for others wait, and so do those for one
        that takes none now."""
        tried: set[int] = set()
        names = list(self.hooks)
        while names and (delivery := next((d for d in store.deliveries(names) if d.id not in tried), None)):
            tried.add(delivery.id)  # read one by one: what became of the one before is told by the next
            store.sending(delivery.id)
            if self._send(store, delivery, self.hooks[delivery.hook]):
                names.remove(delivery.hook)

    def _send(self, store: Store, delivery: Delivery, hook: Hook) -> bool:
        """Send one. True where the receiver takes none now."""
        message = MESSAGES[hook.kind](delivery.news, delivery.key, delivery.missing)
        headers = {"Content-Type": "application/json", "Idempotency-Key": delivery.key}
        request = Request(hook.url, headers, signed=True, method="POST", body=message)
        why, host, busy = "", clean(hook.url.host), True
        # The URL is the user's own, and may lead into his own network.
        with Client(replace(self.outbound, limits=LIMITS, private=True)) as client:
            for tried in range(TRIES):
                try:
                    answer = client.ask(request)
                except UsageError as error:  # of certificates or a proxy: nothing was sent
                    why = f"{host}: {error}"
                    break
                except UnansweredError as error:
                    why = f"{host}: {error}"
                    if not error.unsent:
                        self.note(f"{hook.name}: a message may not have arrived ({why}); it is not sent again")
                        return False
                    break
                if 200 <= answer.status < 300:
                    store.sent(delivery.id, self.clock())
                    return False
                why = f"{host} answers {answer.status}"
                if not _is_refused(answer):
                    self.note(f"{hook.name}: a message may not have arrived ({why}); it is not sent again")
                    return False
                pause = wished_pause(answer)
                busy = answer.status in (429, 503)
                if not busy or pause > PATIENCE or tried == TRIES - 1:
                    break
                self.wait(max(1.0, pause))
        store.sent(delivery.id, self.clock(), failed=why)
        self.note(f"{hook.name}: a message did not arrive ({why}); it is sent with the next sweep")
        return busy


def _is_refused(answer: Answer) -> bool:
    """Whether the message was certainly not taken."""
    return answer.status < 500 or (answer.status == 503 and "retry-after" in answer.headers)
