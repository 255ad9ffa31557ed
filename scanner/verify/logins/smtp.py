"""Logins to servers that send mail: EHLO, STARTTLS, AUTH, QUIT, and never MAIL.

RFC 5321 (SMTP), RFC 3207 (STARTTLS), RFC 4954 (AUTH), RFC 4616 (PLAIN), RFC 3463 (codes).

535 is said of a wrong password, and as well of rights, of addresses, of too many tries, of accounts that are switched
off. It is `dead` where the text is one that well-known servers have for a wrong user name or password alone, without
any word for another reason:

- Exim, `Incorrect authentication data` (specification, chapter 33);
- `Authentication credentials invalid` with 5.7.8, as RFC 4954 section 6 has it;
- SendGrid, `Bad username / password`, of a key (the user `apikey`), since passwords of accounts do not log in there
  (https://www.twilio.com/docs/sendgrid/for-developers/sending-email/smtp-errors-and-troubleshooting);
- Gmail, `Username and Password not accepted`, and Yandex, `Invalid user or password`: of an app password alone, since
  they say the same of the password of an account, which does not log in here and is right elsewhere
  (https://support.google.com/a/answer/3726730, https://support.google.com/accounts/answer/185833).

All else is unknown, what Postfix (`authentication failed: …`), Dovecot and Exchange (5.7.3, 5.7.139) say among it: they
say it of accounts that are locked or may not log in by SMTP, too
(https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from contextlib import suppress
from dataclasses import dataclass

from ...model import Facts
from ..credential import UnaskedError
from ..line import LaterError
from . import Login, RefusedError
from .wire import NO_TLS, Wire

_LINES = 100
_CODE = re.compile(r"\d{3}$")
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\b")
_WRONG = re.compile(r"incorrect authentication data|5\.7\.8 authentication credentials invalid")
_WRONG_KEY = re.compile(r"authentication failed: bad user ?name / password")
_WRONG_FOR_PROGRAMS = re.compile(r"username and password not accepted|authentication failed: invalid user or password")
_APP_PASSWORD = re.compile(r"[a-z]{4}(?: ?[a-z]{4}){3}")
_OTHERWISE = re.compile(
    r"\b(?:access|account|admin|allow|app[ -]?password|application|attempt|block|browser|connection|country"
    r"|den(?:y|ied)|disabled|enabled?\b|exceed|ip\b|limit|lock|many|network|oauth|permi|policy|protocol|quota|rate\b"
    r"|restrict|rights?\b|second|server|service|suspen|temporar|two|unavailable|unusual|verif|web ?login)"
)
"""Words for another reason."""


@dataclass(frozen=True, slots=True)
class _Reply:
    code: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """What is said to people, as one line in small letters, an address of a page aside."""
        return " ".join(re.sub(r"https?://[^\s?]*", "", " ".join(self.lines)).lower().split())

    @property
    def enhanced(self) -> str:
        """The code that says more (RFC 3463); empty where there is none."""
        found = _ENHANCED.match(self.lines[0])
        return found[1] if found else ""


def log_in(login: Login, wire: Wire) -> Facts:
    """Log in, and leave."""
    greeted = _reply(wire)
    if greeted.code != 220:
        raise _meaning(greeted)
    offers = _hello(wire)
    if not wire.private:
        if "STARTTLS" not in offers:
            raise UnaskedError(NO_TLS)
        if _asked(wire, "STARTTLS").code != 220:
            raise UnaskedError(NO_TLS)
        wire.secure()
        offers = _hello(wire)
    if "AUTH" not in offers:
        raise UnaskedError("it takes no logins here")
    said = _authenticate(login, wire, offers["AUTH"].upper().split())
    if wire.tried and said.code == 535 and _is_wrong(said, login):
        raise RefusedError(f"535 {said.enhanced}".strip())
    if said.code != 235:
        raise _meaning(said)
    with suppress(OSError, EOFError, ValueError):
        _asked(wire, "QUIT")
    return ()


def _hello(wire: Wire) -> dict[str, str]:
    """What it offers, by keyword."""
    said = _asked(wire, "EHLO [127.0.0.1]")
    if said.code != 250:
        raise _meaning(said)
    pairs = (line.replace("=", " ", 1).partition(" ") for line in said.lines[1:])
    offers: dict[str, str] = {}
    for name, _, rest in pairs:
        offers[name.upper()] = f"{offers.get(name.upper(), '')} {rest}".strip()
    return offers


def _authenticate(login: Login, wire: Wire, ways: list[str]) -> _Reply:
    user, word = login.user.encode(), login.password.encode()
    both = b"\0".join((b"", user, word))
    if "PLAIN" in ways:
        return _asked(wire, f"AUTH PLAIN {_coded(both)}", secret=True)
    if "LOGIN" in ways:
        said = _asked(wire, "AUTH LOGIN")
        if said.code == 334:
            said = _asked(wire, _coded(user))
        return _asked(wire, _coded(word), secret=True) if said.code == 334 else said
    if "CRAM-MD5" in ways:
        said = _asked(wire, "AUTH CRAM-MD5")
        if said.code != 334:
            return said
        proof = hmac.new(word, base64.b64decode(said.lines[0]), hashlib.md5).hexdigest()
        return _asked(wire, _coded(user + b" " + proof.encode()), secret=True)
    raise UnaskedError("it takes no passwords here")


def _coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _is_wrong(said: _Reply, login: Login) -> bool:
    """Whether the text of a 535 says that the user name or the password is wrong, and can mean nothing else."""
    if said.enhanced not in ("", "5.7.8") or _OTHERWISE.search(said.text):
        return False
    if _WRONG_FOR_PROGRAMS.search(said.text):
        return bool(_APP_PASSWORD.fullmatch(login.password))
    if _WRONG_KEY.search(said.text):
        return login.user == "apikey"
    return bool(_WRONG.search(said.text))


def _meaning(said: _Reply) -> Exception:
    code = f"{said.code} {said.enhanced}".strip()
    if said.code in (421, 450, 451, 454):
        return LaterError(f"it takes nobody now ({code})", 2)
    return UnaskedError(f"it refuses, and does not say that the password is wrong ({code})")


def _asked(wire: Wire, command: str, *, secret: bool = False) -> _Reply:
    wire.send(command.encode() + b"\r\n", secret=secret)
    return _reply(wire)


def _reply(wire: Wire) -> _Reply:
    lines: list[str] = []
    for _ in range(_LINES):
        line = wire.line().decode("utf-8", "replace")
        if not _CODE.match(line[:3]) or line[3:4] not in ("", " ", "-"):
            raise ValueError
        lines.append(line[4:])
        if line[3:4] != "-":
            return _Reply(int(line[:3]), tuple(lines))
    raise ValueError
