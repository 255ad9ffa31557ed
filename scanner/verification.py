"""How a provider is asked whether it still takes a secret: what `[detector.verify]` of a detector file says.

docs/verification.md has the fields.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .patterns import later_text

HTTP = "http"
"""The scheme of what is declared here as a whole; others are code in `verify/`."""
ITSELF = "{secret}"
"""The URL of a request whose secret is one."""
PLACE = later_text(r"\{([a-z_]+)(?:\|([^{}]*))?\}")
"""A place in a text that the secret or a fact fills, and what stands in for it."""
PRIVILEGES = ("admin", "full", "write", "list", "read", "none")
"""The most first."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What an answer must have, all of it.

    `status` are the HTTP statuses it may have; `json` says of a path of the body (`data.user.id`) which values it may
    have (none: any but null, false and empty); `headers` and `body` what must stand in a header, and in the body, and
    `empty` that it has no body.
    """

    status: tuple[int, ...] = ()
    json: tuple[tuple[str, tuple[object, ...]], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    empty: bool = False

    @property
    def speaks(self) -> bool:
        """Whether it needs more of an answer than its status."""
        return bool(self.json or self.headers or self.body or self.empty)


@dataclass(frozen=True, slots=True)
class Verification:
    """One read-only request, and what its answer means.

    `request` is `METHOD URL`, or a list of such, which are asked in turn until one takes the secret (the others are
    `others`); what is dead all of them must refuse. In requests, in `headers` and in `body` stand `{secret}` and facts
    of the finding (`{account}`, `{host|gitlab.com}` with what stands in for it: a host of which a part only stands in
    may know nothing of the secret, and its refusal means nothing); `GET {secret}` is for a secret that is itself a URL
    of the provider. `auth` says how the secret is sent: `bearer`, `token`, `basic USER:PASSWORD`, `header NAME`, `none`
    (then it stands in the request, the headers or the body). `hosts` are the provider's own, `*.` for all below: any
    other host is asked only when the user names it. What stands beside a host that is not of `beside` (where these are
    given) is for somebody's own server, of which the provider knows nothing. An answer is `live` or `dead` when one
    condition of these holds; where no refusal is certain, there is no `dead`. `refused` is what the provider says where
    it refuses a secret for a reason that need not lie in it (an address that is not allowed, an id of another): it says
    that of a made-up one, too. `tells` says where a fact stands in a live answer; `privileges` what privilege a scope
    means. `answers` are answers as the provider's page shows them: (`live`, `dead` or `refused`, text). `joins` are
    detectors whose secrets are sent along, where they have a part in common with this one (the session token of a
    temporary key).
    """

    scheme: str = HTTP
    request: str = ""
    others: tuple[str, ...] = ()
    auth: str = "none"
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    hosts: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    live: tuple[Condition, ...] = ()
    dead: tuple[Condition, ...] = ()
    refused: tuple[Condition, ...] = ()
    tells: tuple[tuple[str, tuple[str, ...]], ...] = ()
    privileges: tuple[tuple[str, tuple[str, ...]], ...] = ()
    answers: tuple[tuple[str, str], ...] = ()
    joins: tuple[str, ...] = ()
    rate: float = 10.0
    source: str = ""

    @property
    def each(self) -> tuple[Verification, ...]:
        """The same with one request each."""
        return tuple(replace(self, request=request, others=()) for request in (self.request, *self.others))
