"""Secrets that only what stands near says whose they are (`Finding.near`): the id of an access key, a client, a host.

That a secret is not the one of the id beside it proves nothing: the next line may have its own. Where the secret signs
and is not sent, the other ids that stand near are tried too, the nearest first; if it is none's, it stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from ..model import Verdict
from .credential import Credential, UnaskedError
from .line import UnreachedError


class MismatchError(Exception):
    """The provider says that the secret is not that of the part which stands with it; the text is what a verdict says
    where they belong together for sure."""


def of_any(credential: Credential, ask: Callable[[Credential], Verdict], name: str) -> Verdict:
    """The verdict of a secret that signs, with the part of this name that it was found with or with another one near.

    Dead is what belongs to its part for sure, and what could belong only to parts that are dead themselves.
    """
    refusals: list[Verdict] = []
    mismatch = unclear = ""
    for one in _each(credential, name):
        try:
            verdict = ask(one)
        except MismatchError as error:
            mismatch = mismatch or str(error)
        except UnreachedError:
            raise
        except UnaskedError as error:
            if one is credential:
                raise
            unclear = unclear or str(error)
        else:
            if verdict.state == "live":
                return verdict if one is credential else _of_another(verdict, name, one.fact(name))
            refusals.append(verdict)
    if mismatch:
        require_sure(credential, (name,))
        return Verdict("dead", mismatch)
    if unclear:
        raise UnaskedError(unclear)
    return refusals[0]


def require_sure(credential: Credential, names: Collection[str]) -> None:
    """UnaskedError where a part of one of these names only stands near: that a secret is not that part's proves
    nothing."""
    near = [name for name, _ in credential.near if name in names]
    if near:
        words = _WORDS.get(near[0], near[0].replace("_", " "))
        raise UnaskedError(f"it is not the secret of the {words} beside it: it may belong to another")


def _each(credential: Credential, name: str) -> Iterator[Credential]:
    yield credential
    for part, value in credential.near:
        if part == name and value != credential.facts.get(name):
            yield replace(credential, facts={**credential.facts, name: value})


def _of_another(verdict: Verdict, name: str, value: str) -> Verdict:
    facts = ((name, value), *(fact for fact in verdict.facts if fact[0] != name))
    return replace(
        verdict, reason=f"{verdict.reason}; its {_WORDS[name]} is {value}, which stands near it", facts=facts
    )


_WORDS = {"access_key_id": "key id", "client_id": "client id"}
