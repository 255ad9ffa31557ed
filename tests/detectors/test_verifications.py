"""What detector files say of verification holds for the answers that the providers' pages show, offline."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random

import pytest
from oakum.detectors import samples
from oakum.scanner import catalog
from oakum.scanner.model import Detector
from oakum.scanner.net.http import Answer, Request
from oakum.scanner.net.urls import Url
from oakum.scanner.verify.answers import Told, facts_of
from oakum.scanner.verify.credential import Credential, is_own_host
from oakum.scanner.verify.declared import request_for


@cache
def declared() -> dict[str, Detector]:
    """The detectors whose check is declared as a whole."""
    return {d.id: d for d in catalog.load() if d.verify and d.verify.scheme == "http"}


def recorded(detector: Detector, which: str) -> Answer:
    """An answer as the detector file has it: status, headers, an empty line, body."""
    assert detector.verify is not None
    answers = dict(detector.verify.answers)
    assert which in answers, f"{detector.id}: answers: no {which} one is recorded"
    head, _, body = answers[which].strip("\n").partition("\n\n")
    status, *lines = head.split("\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(Request(Url("https", "provider")), int(status), headers, body.encode())


PLACES = {"host": "", "account": "acme", "region": "eu1"}


def credential(detector: Detector) -> Credential:
    """A made-up one, with a fact for each place."""
    secret = samples.draw(detector.sample, detector.regex, Random(detector.id))
    assert detector.verify is not None
    host = next((h.replace("*", "acme") for h in detector.verify.hosts), "")
    names = "access_key_id account client_id database email name project region resource team tenant user workspace"
    return Credential(detector, secret, dict.fromkeys(names.split(), "acme") | {"host": host})


@pytest.mark.parametrize("name", sorted(declared()))
def test_recorded_answers_mean_what_they_show(name: str) -> None:
    """The live one is live and not dead, the dead one dead and not live; nothing that is garbage is either."""
    detector = declared()[name]
    assert detector.verify is not None
    live, dead = Told(recorded(detector, "live")), Told(recorded(detector, "dead"))
    check = detector.verify
    assert (live.meets(check.live), live.meets(check.dead)) == (True, False)
    assert (dead.meets(check.live), dead.meets(check.dead)) == (False, bool(check.dead)), "a refusal that means nothing"
    if "refused" in dict(check.answers):
        refused = Told(recorded(detector, "refused"))
        assert [refused.meets(some) for some in (check.live, check.dead, check.refused)] == [False, False, True]
    assert not live.meets(check.refused)
    assert dead.meets(check.dead) or not check.refused or dead.meets(check.refused)
    for status in (200, 204, 400, 403, 404, 429, 500, 503):
        garbage = Told(Answer(Request(Url("https", "provider")), status, {}, b"<html>garbage</html>"))
        assert [garbage.meets(some) for some in (check.live, check.dead, check.refused)] == [False] * 3, status


@pytest.mark.parametrize("name", sorted(declared()))
def test_what_is_told_is_read(name: str) -> None:
    """Each fact that a file names for a check stands in its recorded live answer, or may be missing by its provider."""
    detector = declared()[name]
    assert detector.verify is not None
    told = dict(facts_of(Told(recorded(detector, "live")), detector.verify, "s" * 40))
    if detector.verify.tells:
        assert told.keys() & dict(detector.verify.tells).keys(), "no fact of `tells` is in the recorded live answer"


@pytest.mark.parametrize("name", sorted(declared()))
def test_the_request_goes_to_the_provider(name: str) -> None:
    """And can be made."""
    detector = declared()[name]
    assert detector.verify is not None
    for one in (detector.verify.request, *detector.verify.others):
        request = request_for(credential(detector), replace(detector.verify, request=one))
        assert request.url.scheme == "https"
        assert is_own_host(request.url.host, detector.verify.hosts)
