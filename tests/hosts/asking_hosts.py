"""How tests ask hosts: with a login or none, pages that are kept in memory, and waits that are noted, not waited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from oakum.scanner.logins import Login
from oakum.scanner.net import Limits, Outbound
from oakum.scanner.sources.hosts import Access, Pages, listed
from oakum.scanner.swept import Remote, Unlisted
from provider_servers import WORD, Provider


class Shelf:
    """Keeps pages in memory."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def read(self, name: str) -> bytes | None:
        """What was kept."""
        return self.held.get(name)

    def write(self, name: str, *content: bytes) -> None:
        """Keep it."""
        self.held[name] = b"".join(content)


@dataclass
class Asking:
    """How a test asks: `waits` are the seconds that would have been waited."""

    login: Login | None = None
    pages: Pages = field(default_factory=Shelf)
    limits: Limits = field(default_factory=lambda: Limits(connect=2, silence=2, answer=5))
    patience: float = 900
    waits: list[float] = field(default_factory=list)

    @property
    def access(self) -> Access:
        """For `listed`."""
        outbound = Outbound(limits=self.limits, private=True)
        return Access(outbound, lambda _url: self.login, self.pages, self.waits.append, self.patience)

    def all(self, host: Provider, owner: str = "") -> list[Remote | Unlisted]:
        """All that is listed of a server's target, or of another owner there."""
        return list(listed(replace(host.target, owner=owner or host.owner), self.access))


def login(kind: str, word: str = WORD) -> Login:
    """A login as the environment gives it."""
    users = {"github": "x-access-token", "gitlab": "oauth2", "gitea": "oauth2", "bitbucket": "x-token-auth"}
    return Login("127.0.0.1", users.get(kind, "pat"), word, "THE_VARIABLE")


def names(found: Sequence[Remote | Unlisted]) -> list[str]:
    """The names of what was listed; why, of what was not."""
    return [one.name if isinstance(one, Remote) else one.why for one in found]
