"""Secrets that are sent with something that only stands near them, and are refused: it may be another's."""

from __future__ import annotations

from pathlib import Path

import pytest
from clouds import clouds, found
from oakum.scanner.model import Verdict
from scanning import Fresh

HOSTS = ("api-m.paypal.com", "api-m.sandbox.paypal.com")


@pytest.mark.parametrize("before", ["", "PAYPAL_CLIENT_ID=A{}\n"], ids=["one client", "two clients"])
def test_the_secret_of_another_client_is_not_dead(tmp_path: Path, fresh: Fresh, before: str) -> None:
    """PayPal says the same of a wrong secret and of one of another client. It is sent with the nearest client only."""
    client, secret = (letter + fresh("alnum:79").decode() for letter in "AE")
    text = before.format(fresh("alnum:79").decode()) + f"PAYPAL_CLIENT_ID={client}\nPAYPAL_CLIENT_SECRET={secret}\n"
    wrong = (401, '{"error": "invalid_client"}', {"Content-Type": "application/json"})
    with clouds(tmp_path, lambda _asked: wrong, *HOSTS) as internet:
        (one,) = found(tmp_path / "tree", text, internet.options())
    reason = "api-m.paypal.com: it is not the secret of the client id beside it: it may belong to another"
    assert one.finding.verdict == Verdict("unknown", reason)
    assert sorted(internet.hosts()) == sorted([*HOSTS] * 2), "made up, and real"
    assert len({asked.headers["authorization"] for asked in internet.asked}) == 3, "made up for each, and the real one"
