"""How stores are asked: `net/http.py` with a store's limits, and what its refusals mean."""

from __future__ import annotations

from urllib.parse import unquote

from ...model import clean
from ...net import Outbound
from ...net import http as net_http
from ...net.http import Answer, Request, UnansweredError, require_allowed
from . import Access
from .answers import error_code, refusal

__all__ = ["Answer", "Client", "Request", "UnansweredError", "code_of", "refusal_of", "require_allowed"]


class Client(net_http.Client):
    """Asks, and asks again; one for each listing. Use it as a context."""

    def __init__(self, access: Access) -> None:
        super().__init__(Outbound(access.environment, access.certificates, access.limits, private=True))

    def word_for(self, answer: Answer) -> str:
        """As the store calls it."""
        return code_of(answer)


def code_of(answer: Answer) -> str:
    """The store's word for an error; empty where it gives none, or repeats what was sent."""
    if answer.status == 200:
        return ""
    code, request = error_code(answer.headers, answer.body), answer.request
    if any(code in sent for sent in (request.url.query, *request.headers.values())):
        return ""  # an echo
    return "" if request.secret and any(map(str.isdigit, code)) else code  # it may be one, in another spelling


def refusal_of(answer: Answer) -> str:
    """What an answer means that is no page; nothing that was sent stands in it, whatever the server repeats."""
    request = answer.request
    text = refusal(answer.status, answer.headers, code_of(answer), signed=request.signed, secret=request.secret)
    sent = [part.partition("=")[2] for part in request.url.query.split("&")]
    for value in (*sent, *map(unquote, sent), *request.headers.values()):
        text = text.replace(value, "…") if len(value) >= _SHORTEST else text
    return clean(text)


_SHORTEST = 16
"""Characters of a credential."""
