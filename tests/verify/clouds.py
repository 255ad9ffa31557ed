"""A small internet for tests: one proxy on loopback that is every host it has a certificate for, over real TLS.

oakum is told of the proxy and of the authority, as a user behind a firewall would tell it, and asks the providers' own
names; what was asked of which host is kept.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from git_repository import utc
from oakum.scanner.model import RankedFinding, Verdict
from oakum.scanner.net import Outbound
from oakum.scanner.verify import Named, VerifyOptions
from scanning import scan
from servers import serving


@dataclass(frozen=True)
class Asked:
    """One request."""

    host: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The fields of its body."""
        return dict(parse_qsl(self.body.decode()))


Answer = tuple[int, str] | tuple[int, str, dict[str, str]]
Answering = Callable[[Asked], Answer]


@dataclass
class Clouds:
    """What was asked, and how oakum is told to ask."""

    proxy: str
    authority: str
    asked: list[Asked] = field(default_factory=list)

    def options(self, **options: Any) -> VerifyOptions:
        """With the proxy and the authority."""
        outbound = Outbound({"HTTPS_PROXY": self.proxy}, self.authority)
        return VerifyOptions(**{"now": utc(2027), "outbound": outbound, "seconds": 30.0, "answer": 5.0} | options)

    def hosts(self) -> list[str]:
        """Those that were asked, in order, each time."""
        return [one.host for one in self.asked]

    def holds(self, secret: bytes) -> bool:
        """Whether a secret came here in clear."""
        return any(secret in one.body + repr((one.path, one.headers)).encode() for one in self.asked)


def found(folder: Path, text: str, options: VerifyOptions) -> list[RankedFinding]:
    """The findings in a text, with their verdicts."""
    folder.mkdir(exist_ok=True)
    (folder / "settings.ini").write_text(text)
    return list(scan(folder, verify=options, environment={}).findings)


def verdict(folder: Path, text: str, options: VerifyOptions, detector: str = "") -> Verdict:
    """That of the only finding in a text, or of the only one of a detector."""
    (one,) = [f.finding for f in found(folder, text, options) if detector in ("", f.finding.detector.id)]
    return one.verdict


def instead(provider: str, url: str, now: datetime | None = None) -> VerifyOptions:
    """A provider's checks go to another URL."""
    return VerifyOptions(now=now or utc(2027), named=Named.read([f"{provider}={url}"]), seconds=30, answer=5)


@contextmanager
def clouds(folder: Path, answering: Answering, *hosts: str) -> Iterator[Clouds]:
    """The internet, of these hosts only."""
    context, authority = _certificates(folder, hosts)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        target = ""

        def do_CONNECT(self) -> None:
            self.target = self.path.removesuffix(":443")
            if self.target not in hosts:
                self.send_error(403)
                return
            self.send_response(200)
            self.end_headers()
            self.connection = context.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb", buffering=0)  # type: ignore[assignment]
            self.close_connection = False

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.target, self.path, headers, body)
            with lock:
                made.asked.append(asked)
            status, text, *more = answering(asked)
            self.send_response(status)
            for name, value in (more[0] if more else {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as url:
        made = Clouds(url, authority)
        yield made


def _certificates(folder: Path, hosts: tuple[str, ...]) -> tuple[ssl.SSLContext, str]:
    """A server's context for these names, and the file of the authority that signed for it: itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of tests")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1))
        .not_valid_after(datetime(2099, 1, 1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    # Each under a name of its own: oakum reads a file of certificates once.
    authority, both = (folder / f"{made.serial_number}-{whose}.pem" for whose in ("authority", "server"))
    authority.write_bytes(made.public_bytes(pem))
    both.write_bytes(made.public_bytes(pem) + plain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, str(authority)
