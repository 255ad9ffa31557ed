"""GitHub on loopback: it answers `GET /user` as GitHub's documentation says, and takes the tokens that it is told to.

https://docs.github.com/en/rest/users/users#get-the-authenticated-user
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from servers import told


@dataclass
class GitHub:
    """`live` are the tokens that it takes, and `asked` those that it was asked about, in order; `host` is what
    `--verify-host` names."""

    host: str = ""
    live: set[bytes] = field(default_factory=set)
    asked: list[bytes] = field(default_factory=list)


@contextmanager
def github(*live: bytes) -> Iterator[GitHub]:
    """One that takes these tokens."""
    made = GitHub(live=set(live))

    def answer(handler: BaseHTTPRequestHandler, _number: int) -> None:
        token = handler.headers.get("Authorization", "").rpartition(" ")[2].encode()
        made.asked.append(token)
        good = token in made.live
        body = json.dumps({"login": "octocat", "id": 1} if good else {"message": "Bad credentials"}).encode()
        handler.send_response(200 if good else 401)
        handler.send_header("X-OAuth-Scopes", "repo, admin:org")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    with told(answer) as (url, _):
        made.host = f"github={url}"
        yield made
