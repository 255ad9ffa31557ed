"""One try for each user of a host in a run, however the host, the server and he are written: nobody is locked out."""

from __future__ import annotations

import base64
import itertools

import pytest
from asked_providers import Answer, Request, found_in, provider
from logging_in import password, verdicts
from oakum.scanner import catalog
from oakum.scanner.verify.credential import Credential
from oakum.scanner.verify.schemes import scheme_of
from oakum.scanner.verify.users import Users
from raw_server import Doing, Talk, raw

pytestmark = pytest.mark.long

ONCE = "that user was tried there already, and one try is all, to lock nobody out"
KNOWN = {detector.id: detector for detector in catalog.load()}


def refuses(tried: list[str]) -> Doing:
    """A mail server that takes nobody."""

    def doing(talk: Talk) -> None:
        talk.send(b"220 x\r\n")
        talk.read()
        talk.send(b"250-x\r\n250 AUTH PLAIN\r\n")
        tried.append(base64.b64decode(talk.read().split()[2]).decode().split("\0")[1])
        talk.send(b"535 no\r\n")
        talk.read()

    return doing


@pytest.mark.parametrize(
    "places",
    [
        ("127.0.0.1:{one}", "127.0.0.1:{other}"),
        ("localhost:{one}", "127.0.0.1:{one}"),
        ("LOCALHOST.:{one}", "127.0.0.1:{other}"),
    ],
)
def test_neither_a_port_nor_another_name_of_this_machine_is_another_host(places: tuple[str, str]) -> None:
    """Each with another password."""
    tried: list[str] = []
    with raw(refuses(tried)) as one, raw(refuses(tried)) as other:
        at = [place.format(one=one.port, other=other.port) for place in places]
        text = "\n".join(f"MAIL=smtp://app:{password(place)}@{place}" for place in at)
        reasons = [verdict.reason for verdict in verdicts(text, "localhost", "127.0.0.1")]
    assert [user for user in tried if not user.startswith("oakum-")] == ["app"]
    assert sum(reason.endswith(ONCE) for reason in reasons) == 1


def test_a_host_that_is_named_in_place_of_others_is_one() -> None:
    """Whatever stood in the data."""
    tried: list[str] = []
    with raw(refuses(tried)) as server:
        text = "\n".join(f"MAIL=smtp://{name}:{password(name)}@{name}.acme.test" for name in ("app", "App", "APP"))
        verdicts(text, f"uri={server.place}")
    assert [user.lower() for user in tried if not user.startswith("oakum-")] == ["app"]


SPELLINGS = [
    ["postgres://app:{}@db", "postgresql://app:{}@db:5433", "cockroachdb://app:{}@db", "redshift://%61pp:{}@db/x"],
    ["mysql://app:{}@db", "mariadb://app:{}@db:3307"],
    ["ldap://app:{}@db", "ldaps://app:{}@db", "ldap://app:{}@db:3268"],
    ["ldap://cn=app%2Cdc=acme:{}@db", "ldaps://cn=app%2C%20dc=acme:{}@db"],
    ["redis://:{}@db", "rediss://default:{}@db"],
    ["mongodb://app:{}@db", "mongodb+srv://app:{}@db"],
    ["smtp://app:{}@db", "smtps://app:{}@db", "submission://app:{}@db:25"],
    ["ssh://app:{}@db", "sftp://app:{}@db"],
]


def user(url: str) -> str:
    """Whom a URL is for."""
    scheme, _, rest = url.partition("://")
    name, _, place = rest.partition(":{}@")
    host, _, port = place.partition("/")[0].partition(":")
    detector = KNOWN["uri-database-password"]
    assert detector.verify is not None
    facts = {"scheme": scheme, "user": name, "host": host, "port": port}
    return scheme_of(detector.verify).user(Credential(detector, password("user").encode(), facts))


def test_a_protocol_is_one_however_it_is_called() -> None:
    """And users of different kinds of servers, and different users, are different ones."""
    users = [{user(url) for url in urls} for urls in SPELLINGS]
    assert [len(each) for each in users] == [1] * len(SPELLINGS)
    assert not any(one & other for one, other in itertools.combinations(users, 2))


@pytest.mark.parametrize(
    "hosts",
    [
        ["localhost", "LocalHost", "localhost.", "db.localhost", "127.0.0.1", "::1", "[::1]", "::ffff:127.0.0.1"],
        ["db.acme.test", "DB.acme.test."],
        ["10.0.0.4", "::ffff:10.0.0.4"],
        ["fd00::7", "FD00:0:0::7"],
    ],
)
def test_a_host_is_one_however_it_is_written(hosts: list[str]) -> None:
    """Whoever was first is tried again."""
    users = Users()
    assert [users.take(host, "smtp app", place) for place, host in enumerate(hosts)] == [True] + [False] * (
        len(hosts) - 1
    )
    assert users.take(hosts[-1], "smtp App", 0)
    assert users.take("other.acme.test", "smtp app", 9)
    assert users.take("127.0.0.2", "smtp app", 9)


def test_a_token_that_is_sent_with_a_name_is_a_try_of_that_user() -> None:
    """As of Docker Hub: each user once, with whichever token."""
    tried: list[str] = []

    def answer(request: Request) -> Answer:
        tried.append(base64.b64decode(request.headers["authorization"].split()[1]).decode().partition(":")[0])
        return 401, {"Content-Type": "application/json"}, '{"details": "incorrect username or password"}'

    detector = KNOWN["docker-personal-access-token"]
    users = ["acmebot", "acmebot", "acmebot", "robot"]
    padding = "\n# nothing\n" * 100  # each beside its own user
    text = padding.join(f"docker login -u {name} -p {catalog.look_alike(detector).decode()}" for name in users)
    with provider(answer) as (place, _):
        reasons = [one.finding.verdict.reason for one in found_in(text, f"docker={place}")]
    assert sorted(name for name in tried if not name.startswith("oakum-")) == ["acmebot", "robot"]
    assert sum(reason.endswith(ONCE) for reason in reasons) == 2
