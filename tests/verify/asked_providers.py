"""A provider on loopback that answers as a test says, and the verdicts of what stands in a text."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from git_repository import utc
from oakum.scanner.model import RankedFinding
from oakum.scanner.net import Outbound
from oakum.scanner.pipeline.options import ScanOptions
from oakum.scanner.pipeline.scan import scan
from oakum.scanner.verify import Named, VerifyOptions
from servers import serving


@dataclass(frozen=True)
class Request:
    """What came to a provider."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)
    body: bytes = b""

    @property
    def path(self) -> str:
        """Without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """Its parameters, decoded."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def form(self) -> dict[str, str]:
        """The fields of its body, decoded."""
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


Answer = tuple[int, Mapping[str, str], str]
"""Status, headers, body."""
Answering = Callable[[Request], Answer]


@contextmanager
def provider(answering: Answering) -> Iterator[tuple[str, list[Request]]]:
    """A server that answers all methods so; what it was asked for, in order."""
    asked: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, body)
            asked.append(request)
            status, sent, text = answering(request)
            data = text.encode()
            self.send_response(status)
            for name, value in sent.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD" and status != 204:
                self.wfile.write(data)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815  names of the library

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as url:
        yield url, asked


def found_in(text: str, *named: str, certificates: str = "", now: datetime | None = None) -> list[RankedFinding]:
    """What stands in a text, asked about; `named` are as in `--verify-host`."""
    at = now or utc(2027)
    outbound = Outbound({}, certificates)
    asking = VerifyOptions(at, outbound, Named.read(named), seconds=60, answer=10, pause=0.05)
    options = ScanOptions(environment={}, now=at, verify=asking)
    return list(scan([b"-"], options, io.BytesIO(text.encode())).findings)


def verdict(text: str, *named: str, certificates: str = "", now: datetime | None = None) -> tuple[str, str]:
    """The verdict of the one thing that stands in a text: state and reason."""
    (one,) = found_in(text, *named, certificates=certificates, now=now)
    return one.finding.verdict.state, one.finding.verdict.reason
