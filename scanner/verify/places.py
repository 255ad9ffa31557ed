"""Places where a credential may belong, such as the regions of a provider: asked in turn until one takes it.

What one place says is its own: one that cannot be reached, or is not to be believed, neither hides what another says
nor has others left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..model import Verdict
from ..verification import Verification
from . import Question
from .credential import Destination
from .declared import facts_in


@dataclass(frozen=True, slots=True)
class Place:
    """A place, the one request that is sent there, and how often it was tried."""

    check: Verification
    destinations: tuple[Destination, ...]
    tries: int = 0

    @property
    def host(self) -> str:
        """The host that decides."""
        return self.destinations[0].host

    @property
    def target(self) -> str:
        """What is asked for there, before its places are filled."""
        method, _, url = self.check.request.partition(" ")
        return f"{method} /{url.partition('://')[2].partition('/')[2]}"


@dataclass(frozen=True, slots=True)
class Said:
    """What a place said; `refused` says that it refused the secret, if in a way that is no verdict."""

    verdict: Verdict
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question with the places that are still to be asked, the next one first; what others said; and the verdict of
    the next one, where only the control probe is still due."""

    question: Question
    places: tuple[Place, ...]
    said: tuple[Said, ...] = ()
    verdict: Verdict | None = None

    @property
    def place(self) -> Place:
        """The next one."""
        return self.places[0]

    def later(self, verdict: Verdict | None) -> Waiting:
        """The same, when a place gave no answer yet: others are asked first, if it did not take the secret."""
        tried, others = replace(self.place, tries=self.place.tries + 1), self.places[1:]
        return replace(self, places=(tried, *others) if verdict else (*others, tried), verdict=verdict)

    def after(self, said: Said) -> Waiting:
        """The same for the other places."""
        return replace(self, places=self.places[1:], said=(*self.said, said), verdict=None)


def waiting_for(question: Question, instead: Destination | None) -> Waiting:
    """A question about each place; `instead` is the host that the user names in place of all."""
    check = question.credential.detector.verify
    assert check is not None
    if not check.others:
        return Waiting(question, (Place(check, question.destinations),))
    places: dict[object, Place] = {}
    for one in check.each:
        to = (instead,) if instead else question.scheme.destinations(question.credential, one)
        place = Place(one, to)
        places.setdefault((place.destinations, place.target), place)
    return Waiting(question, tuple(places.values()))


def trial_of(waiting: Waiting) -> object:
    """What a made-up secret is tried for: the detector, the place, and all that is sent along. What is seen of one
    client or account says nothing of another."""
    credential, place = waiting.question.credential, waiting.place
    kind = place.check.scheme if waiting.question.scheme.PROBE == "host" else credential.detector.id
    facts = tuple((name, credential.facts.get(name, "")) for name in facts_in(place.check))
    return kind, str(place.destinations[0]), place.target, facts


def together(said: Sequence[Said]) -> Verdict:
    """The verdict of places none of which takes the secret: what is dead all of them refuse. Else the first that said
    nothing certain, one that failed before one that refused."""
    unknown = [one for one in said if one.verdict.state == "unknown"]
    failed = [one for one in unknown if not one.refused]
    return (failed or unknown or said)[0].verdict
