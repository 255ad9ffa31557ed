"""Before the first request: the plan is made within the time, is told, and holds no more than people read."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from oakum.scanner import catalog
from oakum.scanner.cli import verifying
from oakum.scanner.model import Detector, RankedFinding, Verdict
from oakum.scanner.pipeline.verified import Verified, verified
from oakum.scanner.verify import MOST_HOSTS, TOO_MANY, Named, Plan, VerifyOptions, bounded
from oakum.scanner.verify.credential import UnaskedError
from oakum.scanner.verify.line import OVER
from oakum.scanner.verify.logins import srv
from providing import DEAD, addresses, finding, github, instead, knows, options, planned_for, provider, says
from scanning import Fresh


def told(found: list[RankedFinding], chosen: VerifyOptions) -> Verified:
    """Findings with verdicts."""
    return verified(found, chosen, lambda *_: None)


def reasons(result: Verified) -> list[str]:
    """Of each verdict."""
    return [one.finding.verdict.reason for one in result.findings]


# --- the plan --------------------------------------------------------------------------------------------------------


def databases(fresh: Fresh, *hosts: str) -> tuple[list[RankedFinding], Named]:
    """Passwords for servers that SRV records name, and those hosts as the user names them."""
    detector = next(one for one in catalog.load() if one.id == "uri-database-password")
    facts = [{"scheme": "mongodb+srv", "user": f"app{n}", "host": host} for n, host in enumerate(hosts)]
    return [finding(detector, fresh("password:20"), **one) for one in facts], Named.read(set(hosts))


def test_a_look_up_that_failed_is_not_tried_again(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> None:
    """It takes seconds each time: all passwords of the host have the one reason."""
    asked: list[str] = []

    def fails(host: str) -> Any:
        asked.append(host)
        raise UnaskedError(f"its SRV record cannot be read ({len(asked)})")

    monkeypatch.setattr(srv, "servers", fails)
    found, named = databases(fresh, *["a.acme.test"] * 20, "b.acme.test")
    assert reasons(told(found, options(named))) == [
        *["its SRV record cannot be read (1)"] * 20,
        "its SRV record cannot be read (2)",
    ]
    assert asked == ["a.acme.test", "b.acme.test"]


def test_the_time_for_all_holds_for_the_plan(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> None:
    """What is not looked up until then is not asked about, nor is anything else."""
    asked: list[str] = []

    def slow(host: str) -> Any:
        asked.append(host)
        time.sleep(0.2)
        raise UnaskedError("its SRV record cannot be read")

    monkeypatch.setattr(srv, "servers", slow)
    found, named = databases(fresh, *(f"db{n}.acme.test" for n in range(30)))
    secret = fresh()
    with provider(knows(secret)) as server:
        here = Named(named.hosts, instead(server.port).instead)
        begun = time.monotonic()
        result = told([finding(github(), secret), *found], options(here, seconds=0.5))
        assert time.monotonic() - begun < 2
        assert server.connections == 0
    assert len(asked) == 3
    assert reasons(result) == [OVER, *["its SRV record cannot be read"] * 3, *[OVER] * 27]


def test_ctrl_c_while_the_plan_is_made(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> None:
    """All that was found stays."""

    def stopped(_host: str) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(srv, "servers", stopped)
    found, named = databases(fresh, "a.acme.test")
    found.append(finding(github(), fresh()))
    announced: list[Plan] = []
    result = told(found, options(named, announce=announced.append))
    assert result.interrupted
    assert [one.finding.verdict for one in result.findings] == [Verdict("unknown", "stopped before it was asked")] * 2
    assert announced == []


def test_a_plan_of_many_that_share_a_part_is_made_in_time(fresh: Fresh) -> None:
    """Such as one key id in thousands of files, each with another token: what has several has none."""
    known = {one.id: one for one in catalog.load()}
    shared = {"access_key_id": "ASIA" + "A" * 16}
    found = [
        finding(known[name], b"%s %06d" % (name.encode(), n), **shared)
        for n in range(6_000)
        for name in ("aws-secret-access-key", "aws-session-token")
    ]
    begun = time.monotonic()
    planned = planned_for(found, options())
    assert time.monotonic() - begun < 10
    assert {tuple(one.credential.others) for one in planned.questions} <= {()}
    one = planned_for(found[:2], options())
    assert "aws-session-token" in {name for question in one.questions for name in question.credential.others}


# --- what is told ----------------------------------------------------------------------------------------------------


def test_where_nobody_can_be_told_nothing_is_sent(tmp_path: Path, fresh: Fresh) -> None:
    """The findings stay, and what is remembered of them."""
    old, new = fresh(), fresh()

    def unheard(_plan: Plan) -> None:
        raise BrokenPipeError

    with provider(knows(old, new)) as server:
        chosen = options(instead(server.port), cache=str(tmp_path))
        told([finding(github(), old)], chosen)
        result = told([finding(github(), old), finding(github(), new)], replace(chosen, announce=unheard))
        assert server.had(new) == 0
    unsaid = "it could not be said where secrets would go (standard error is closed): nothing was sent"
    assert reasons(result) == ["user octocat (asked 0 minutes ago)", unsaid]
    assert (result.asked, result.interrupted) == ((("live", 1), ("dead", 0), ("unknown", 1)), False)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX closes it")
@pytest.mark.long
@pytest.mark.parametrize("command", ["scan", "verify"])
@pytest.mark.parametrize("closed", [">report 2>&-", ">report 2>/dev/full", "2>&1 >report | true"])
def test_a_standard_error_that_nobody_hears(closed: str, command: str, tmp_path: Path, fresh: Fresh) -> None:
    """The report is written, and nothing is sent."""
    if "/dev/full" in closed and not Path("/dev/full").exists():
        pytest.skip("only Linux has /dev/full")
    secret = fresh()
    (tmp_path / "app.py").write_bytes(b"token = '%s'\n" % secret)
    oakum = f"{sys.executable} -m oakum.scanner"
    scan = [*oakum.split(), "scan", "app.py", "--format", "json", "--output", "before.json", "--no-cache"]
    assert subprocess.run(scan, cwd=tmp_path, capture_output=True, check=False).returncode == 1
    with provider(says(DEAD)) as server:
        here = f"--verify-host github=http://127.0.0.1:{server.port} --no-cache"
        line = f"scan app.py --verify {here}" if command == "scan" else f"verify before.json {here}"
        script = f"exec 3>code; {{ {oakum} {line}; echo code $? >&3; }} {closed}"
        subprocess.run(["sh", "-c", script], cwd=tmp_path, timeout=60, check=True)
        assert server.seen == []
    assert (tmp_path / "code").read_text() == "code 1\n"
    assert "it could not be said where secrets would go" in " ".join((tmp_path / "report").read_text().split())


# --- how many hosts --------------------------------------------------------------------------------------------------


def self_hosted() -> Detector:
    """A detector of tokens of somebody's own server."""
    return github(request="GET https://{host|api.github.com}/user", hosts=("api.github.com",), beside=())


@pytest.fixture
def many(fresh: Fresh) -> tuple[list[RankedFinding], Named]:
    """Secrets for more hosts than are asked in a run: those with a high number have two."""
    hosts = [f"h{n:03}.acme.test" for n in range(MOST_HOSTS + 5)]
    found = [finding(self_hosted(), fresh(), host=host) for host in hosts]
    return found + [finding(self_hosted(), fresh(), host=host) for host in hosts[100:]], Named.read(hosts)


def test_no_more_hosts_are_asked_than_people_read(many: tuple[list[RankedFinding], Named]) -> None:
    """Those of most secrets; the reason says how to ask the others."""
    found, named = many
    planned = bounded(planned_for(found, options(named)))
    assert len(planned.hosts()) == MOST_HOSTS
    left_out = [found[place].finding for place, verdict in planned.unasked.items() if verdict.reason == TOO_MANY]
    assert sorted(dict(one.facts)["host"] for one in left_out) == [f"h{n:03}.acme.test" for n in range(95, 100)]
    assert len(planned.questions) + len(left_out) == len(found)
    assert "--verify-host in parts" in TOO_MANY


def test_every_host_is_named(many: tuple[list[RankedFinding], Named], capfd: pytest.CaptureFixture[str]) -> None:
    """That secrets go to."""
    found, named = many
    planned = bounded(planned_for(found, options(named)))
    verifying.announce(planned)
    said = capfd.readouterr().err
    assert [host for host, _ in planned.hosts() if f" {host} (" not in said] == []


def test_what_is_left_out_has_its_verdict(fresh: Fresh) -> None:
    """And is not sent: the whole way."""
    hosts = addresses(MOST_HOSTS + 3, net=40)
    found = [finding(self_hosted(), fresh(), host=host) for host in hosts]
    announced: list[Plan] = []

    def stopped(plan: Plan) -> None:
        announced.append(plan)
        raise KeyboardInterrupt

    result = told(found, options(Named.read(hosts), announce=stopped))
    assert len(announced[0].hosts()) == MOST_HOSTS
    assert reasons(result).count(TOO_MANY) == 3
