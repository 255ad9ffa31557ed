"""Every check that a detector file declares, asked through the real lanes and over HTTP: only what the provider says of
the secret itself is a verdict, whatever else it answers.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random

import pytest
from oakum.detectors import samples
from oakum.scanner import catalog
from oakum.scanner.model import Detector, RankedFinding, Verdict
from oakum.scanner.net.http import Answer, Request
from oakum.scanner.net.urls import Url
from oakum.scanner.verification import ITSELF, Condition
from oakum.scanner.verify import Named
from oakum.scanner.verify.answers import Told
from oakum.scanner.verify.credential import Destination
from providing import Answering, Seen, addresses, ask, certified, finding, options, provider, reply, resets, silent

FACTS = "access_key_id account client_id database email name project region resource team tenant user workspace"


@dataclass(frozen=True)
class Checked:
    """A declared check, the address that stands for its provider, a secret, and the answers that are recorded."""

    detector: Detector
    host: str
    found: RankedFinding
    form: re.Pattern[str]
    live: bytes
    dead: bytes

    def is_meant(self, seen: Seen) -> bool:
        """Whether a request holds the secret."""
        secret = self.found.finding.secret.reveal().decode()
        if secret.startswith("https://"):
            secret = secret.split("/", 3)[3]
        return seen.host == self.host and secret in seen.text

    @property
    def refusal(self) -> str:
        """The verdict of what the provider refuses."""
        assert self.detector.verify is not None
        return "dead" if self.detector.verify.dead else "unknown"


@cache
def checks() -> list[Checked]:
    """All of them."""
    detectors = [d for d in catalog.load() if d.verify and d.verify.scheme == "http"]
    providers = sorted({d.provider for d in detectors})
    hosts = dict(zip(providers, addresses(len(providers)), strict=True))
    return [_checked(detector, hosts[detector.provider]) for detector in detectors]


def _checked(detector: Detector, host: str) -> Checked:
    assert detector.verify is not None
    own = next((name.replace("*", "acme") for name in detector.verify.hosts), "")
    facts = dict.fromkeys(FACTS.split(), "acme") | {"host": own, "user": f"acme-{detector.id}"}  # each is tried once
    quick = replace(detector, verify=replace(detector.verify, rate=1000.0))
    secret = samples.draw(detector.sample, detector.regex, Random(detector.id))
    answers = dict(detector.verify.answers)
    forms = "|".join(map(_form, (detector.verify.request, *detector.verify.others)))
    return Checked(
        quick, host, finding(quick, secret, **facts), re.compile(forms), _raw(answers["live"]), _raw(answers["dead"])
    )


def _form(request: str) -> str:
    """What a request asks for, whatever its places are filled with."""
    method, _, url = request.partition(" ")
    if url == ITSELF:
        return f"{method} .*"
    target = f"{method} /{url.partition('://')[2].partition('/')[2]}"
    return "[^ ]+?".join(map(re.escape, re.split(r"\{[^{}]*\}", target)))


def _raw(recorded: str) -> bytes:
    head, _, body = recorded.strip("\n").partition("\n\n")
    status, *lines = head.split("\n")
    headers = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return reply(body, int(status), **headers)


def answering(fault: Answering | None, *, always: bool) -> Answering:
    """Answers as recorded: live for each secret that was found, dead for any other; with a fault, that in place of the
    first, or of `always` both."""

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        here = [check for check in checks() if check.host == seen.host]
        known = next((check for check in here if check.is_meant(seen)), None)
        if fault and (known or always):
            await fault(seen, writer)
        elif known:
            writer.write(known.live)
        else:
            writer.write(_meant(here, seen).dead)

    return answer


def _meant(here: Sequence[Checked], seen: Seen) -> Checked:
    """The check that a made-up secret is asked with: by all but what its places are filled with."""
    return next(c for c in here if c.form.fullmatch(f"{seen.method} {seen.target}"))


def asked(port: int, *, scheme: str = "http", answer: float = 5.0) -> dict[str, Verdict]:
    """The verdict of each check, asked all at once."""
    there = {c.detector.provider: Destination(scheme, c.host, port) for c in checks()}
    named = Named(frozenset((to.host, port) for to in there.values()), there)
    verdicts = ask([c.found for c in checks()], options(named, answer=answer))
    return {c.detector.id: verdict for c, verdict in zip(checks(), verdicts, strict=True)}


def hosts() -> list[str]:
    """All addresses."""
    return sorted({check.host for check in checks()})


def all_of(state: str) -> dict[str, str]:
    """That every check has one verdict."""
    return {check.detector.id: state for check in checks()}


def test_what_the_provider_knows_is_live() -> None:
    """By the recorded answer, as a made-up secret got the other one."""
    with provider(answering(None, always=False), hosts()) as server:
        verdicts = asked(server.port)
    assert {name: verdict.state for name, verdict in verdicts.items()} == all_of("live")
    assert {c.detector.id: verdicts[c.detector.id].asked for c in checks()} == {
        c.detector.id: f"{c.host}:{server.port}" for c in checks()
    }


def test_what_the_provider_refuses_is_dead() -> None:
    """By the recorded answer; what refuses without saying that the secret is wrong, is no verdict."""

    async def refuses(seen: Seen, writer: asyncio.StreamWriter) -> None:
        here = [check for check in checks() if check.host == seen.host]
        writer.write(next((c for c in here if c.is_meant(seen)), _meant(here, seen)).dead)

    with provider(refuses, hosts()) as server:
        verdicts = asked(server.port)
    assert {n: v.state for n, v in verdicts.items()} == {c.detector.id: c.refusal for c in checks()}
    assert all("refuses it (" in v.reason for v in verdicts.values() if v.state == "dead")
    assert all(not verdict.facts for verdict in verdicts.values())


def _says(*args: object, **headers: str) -> Answering:
    said = reply(*args, **headers)  # type: ignore[arg-type]

    async def answer(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(said)

    return answer


FAULTS = {
    "too many": (_says("slow down", 429), "it asks to come back later (429)"),
    "too many, with a pause": (_says("slow down", 429, Retry_After="0"), "it asks to come back later (429)"),
    "too many for long": (_says("", 429, Retry_After="1000000000"), "it asks to come back later (429), in more than"),
    "broken": (_says("<h1>sorry</h1>", 500), "it answers 500"),
    "bad gateway": (_says("", 502), "it answers 502"),
    "busy": (_says("", 503), "it asks to come back later (503)"),
    "a page": (_says("<html>welcome</html>"), "not as the provider describes it (200)"),
    "an empty object": (_says("{}", Content_Type="application/json"), "not as the provider describes it (200)"),
    "nothing at all": (_says("", 204), "not as the provider describes it (204)"),
    "no such page": (_says("<html>none</html>", 404), "it answers 404"),
    "forbidden": (_says("<html>blocked</html>", 403), "something before it refuses (403)"),
    "no answer": (silent, "it does not answer in time"),
    "a reset": (resets, "the connection breaks"),
    "no HTTP": (_says("x") and (lambda _seen, writer: _raw_write(writer, b"SSH-2.0-x\r\n\r\n")), "is no HTTP"),
    "elsewhere": (None, "it redirects (302), which is not followed"),
}


def _live(check: Checked) -> tuple[Condition, ...]:
    assert check.detector.verify is not None
    return check.detector.verify.live


async def _raw_write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()
    writer.close()


QUICK = ("too many", "a page", "forbidden", "elsewhere")


@pytest.mark.parametrize(
    ("fault", "always"),
    [
        pytest.param(
            fault,
            always,
            id=f"{fault} for {'all' if always else 'the secret'}",
            marks=() if fault in QUICK and not always else pytest.mark.long,
        )
        for fault in FAULTS
        for always in (False, True)
    ],
)
def test_whatever_else_is_answered_is_no_verdict(fault: str, *, always: bool) -> None:
    """It says why, nothing of the secret, and where a made-up one is not refused, the secret is not sent."""
    answer, why = FAULTS[fault]
    with provider(_says("{}")) as other:
        redirect = _says("", 302, Location=f"http://127.0.0.1:{other.port}/user")
        with provider(answering(answer or redirect, always=always), hosts()) as server:
            verdicts = asked(server.port, answer=5.0 if fault != "no answer" else 0.1 if always else 0.4)
        assert (other.seen, other.connections) == ([], 0)
    empty = Told(Answer(Request(Url("https", "provider")), 204, {}, b""))
    # A provider may say `live` by saying nothing, which only the made-up secret tells from a server that always does.
    means_it = {c.detector.id for c in checks() if fault == "nothing at all" and empty.meets(_live(c))}
    assert {name: v.state for name, v in verdicts.items() if name not in means_it or always} == {
        name: "unknown" for name in all_of("unknown") if name not in means_it or always
    }
    for check in (check for check in checks() if check.detector.id not in means_it):
        verdict = verdicts[check.detector.id]
        secret = check.found.finding.secret.reveal()
        # A user is tried once, so that the first failure is the last.
        once = check.detector.verify is not None and "{user}" in check.detector.verify.auth
        assert once or why in verdict.reason or "was left alone" in verdict.reason, check.detector.id
        assert verdict.facts == ()
        assert secret.decode() not in verdict.reason
        sent = any(map(check.is_meant, server.seen))
        assert sent != always or (not sent and "was left alone" in verdict.reason), check.detector.id


def test_a_server_with_a_certificate_of_its_own(tmp_path: Path) -> None:
    """It gets no request at all."""
    context, _ = certified(tmp_path, *hosts())
    with provider(_says("{}"), hosts(), context) as server:
        verdicts = asked(server.port, scheme="https")
    assert {name: verdict.state for name, verdict in verdicts.items()} == all_of("unknown")
    assert {v.reason.partition(": ")[2].partition(" (")[0] for v in verdicts.values()} == {
        "its certificate is not trusted"
    }
    assert server.seen == []
