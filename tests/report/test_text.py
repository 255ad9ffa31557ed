"""The page for people, compared as a whole, and what a hostile target may not do to it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from handmade import ADA, BLOB, COMMIT, DETECTORS, HEAD, PASSWORD, TOKEN, occurrence, password, rendered, result, token
from oakum.scanner.model import NOT_ASKED, File, GitBlob, NotScanned, Reason, Secret, Suppression, Verdict
from oakum.scanner.report import FORMATS


def test_the_whole_page() -> None:
    """Findings worst first, then the summary. What the first line of a finding says is not said again under `why`."""
    mask = TOKEN[:8].decode()
    rotate = {name: detector.rotate for name, detector in DETECTORS.items()}
    assert rendered("text", heading=("oakum 0.1.0  /repo",), width=140) == (
        "oakum 0.1.0  /repo\n"
        "\n"
        f" CRITICAL 95  GitHub token: live mode  {mask}…[masked]\n"
        "  where  src/settings.ini:3:9\n"
        f"  since  2024-03-01, commit c1c1c1c1c1c1, by {ADA}, in 2 versions of the file, "
        "at the head of the default branch\n"
        f"         | token = {mask}…[masked]  # ours\n"
        "  also   old.ini:3:1  (2024-03-05, commit c1c1c1c1c1c1, unreachable (refs/stash))\n"
        "  also   message of commit c1c1c1c1c1c1:3:5  (2024-03-06, in every clone)\n"
        "  why    it opens much; at the head of the default branch\n"
        "  next   revoke it, then take it out; deleting the line alone leaves it in history:\n"
        f"         {rotate['github-pat']}\n"
        f"  id     {'a' * 26}  github-pat\n"
        "\n"
        " MEDIUM 42  Password in a .netrc file, for one host  …[masked]\n"
        "  where  tests/.netrc:3:30\n"
        "         | machine h login ada password …[masked]\n"
        "  why    stands in tests only\n"
        "  next   change the password, then take it out\n"
        f"  id     {'b' * 26}  netrc-password\n"
        "\n"
        "2 findings: 1 critical, 1 medium; 1 below --min-band not shown\n"
        "  searched     4 files, 9 git blobs: 2.5 MB in 0.5 s\n"
        "  suppressed   3 values: 3 placeholder\n"
        "  NOT SCANNED  1 (the scan is incomplete)\n"
        "    gone.txt: went away before it was read\n"
        "  left out     1 by policy\n"
        "    big: too large\n"
    )


VERDICTS = (
    (Verdict("live", "user octocat", (("user", "octocat"),), "api.github.com"), "live: user octocat (api.github.com)"),
    (Verdict("dead", "api.github.com refuses it (401)", (), "api.github.com"), "dead: api.github.com refuses it (401)"),
    (Verdict("unknown", "api.github.com: it answers 404"), "unknown: api.github.com: it answers 404"),
    (Verdict("unknown", "not asked: a reason"), "not asked: a reason"),
    (Verdict("dead", "expired on 2026-01-01"), ""),
    (NOT_ASKED, ""),
)


@pytest.mark.parametrize(("verdict", "said"), VERDICTS, ids=[v.reason for v, _ in VERDICTS])
def test_a_verdict_has_a_line_and_is_not_said_again(verdict: Verdict, said: str) -> None:
    """Where somebody was asked, or it says why nobody was; what a finding says by itself stands under `why`."""
    made = token(occurrence(HEAD, b"", TOKEN), verdict=verdict)
    reason = Reason("verdict", 1.0, f"{verdict.state}: {verdict.reason}")
    page = rendered("text", result(replace(made, reasons=(*made.reasons, reason))), width=140)
    assert re.findall("^  asked  (.*)$", page, re.MULTILINE) == ([said] if said else [])
    assert (f"; {reason.text}\n" in page) == (not said)


def test_what_the_first_line_says_of_a_live_one_is_not_said_again() -> None:
    """The host that says so is."""
    verdict = VERDICTS[0][0]
    made = replace(token(occurrence(HEAD, b"", TOKEN), verdict=verdict), summary="GitHub token, live: user octocat")
    page = rendered("text", result(made), width=140)
    assert "  asked  live: api.github.com takes it\n" in page
    assert "  next   at once, as it is live: revoke it, then take it out;" in page


def test_what_is_open_to_all_is_said_to_be() -> None:
    """Nobody takes a secret there."""
    detector = replace(DETECTORS["github-pat"], kind="exposure")
    finding = replace(token(occurrence(HEAD, b"", TOKEN), verdict=VERDICTS[0][0]).finding, detector=detector)
    made = replace(token(), finding=finding, summary="Database: anybody can read it; user octocat")
    page = rendered("text", result(made), width=140)
    assert "  asked  live: api.github.com answers anybody\n" in page
    assert "  next   at once, as it is live: close it to all who have not logged in, then take it out;" in page
    dead = replace(made, finding=replace(finding, verdict=VERDICTS[1][0]))
    assert "  next   see that it stays closed" in rendered("text", result(dead), width=140)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((("live", 1), ("dead", 2), ("unknown", 0)), "3 secrets: 1 live, 2 dead"),
        ((("live", 0), ("dead", 0), ("unknown", 1)), "1 secret: 1 unknown"),
        ((("live", 0), ("dead", 0), ("unknown", 0)), "nothing: nobody could be asked about what was found"),
    ],
)
def test_the_summary_counts_what_was_asked(asked: tuple[tuple[str, int], ...], said: str) -> None:
    """By what came of it."""
    made = result()
    page = rendered("text", replace(made, coverage=replace(made.coverage, asked=asked)))
    assert f"  verified     {said}\n" in page
    assert "  verified " not in rendered("text", made)


def test_nothing_found() -> None:
    """The summary alone."""
    page = rendered("text", result(token(), findings=(), not_scanned=[], suppressed=(), below_band=0))
    assert page == "0 findings\n  searched     4 files, 9 git blobs: 2.5 MB in 0.5 s\n"


def test_stats_add_stages_and_what_the_tests_dropped() -> None:
    """Only on request."""
    more = set(rendered("text", stats=True).splitlines()) - set(rendered("text").splitlines())
    assert more == {"  dropped      2 by entropy", "  stages       files 0.20 s", "  detectors    70"}


def test_what_was_accepted_and_is_no_more_or_was_not_met() -> None:
    """A line each, as wide as the page; five of them, the rest as a number."""
    over = Suppression("a test\n\x1b[31mkey", "c" * 26, expires=date(2026, 12, 31))
    unmet = [Suppression("made up " * 30, path=f"old/{n}/**", detector="a-key") for n in range(7)]
    page = rendered("text", result(expired=(over,), stale=tuple(unmet)), width=70)
    cut = "made up made up made up made up made up made up ma"
    assert (
        "  suppressed   3 values: 3 placeholder\n"
        "  expired      1 entry of the configuration: no longer accepted\n"
        "    cccccccccccccccccccccccccc (until 2026-12-31): a test\\x0a\\x1b[31mk\n"
        "  stale        7 entries of the configuration: matched nothing\n"
        f"{''.join(f'    old/{n}/** a-key: {cut}' + chr(10) for n in range(5))}"
        "    … and 2 more (--format json lists them)\n"
        "  NOT SCANNED  1 (the scan is incomplete)\n"
    ) in page


def test_an_interrupted_scan_says_so() -> None:
    """In the summary."""
    assert "  interrupted  the scan was stopped" in rendered("text", result(interrupted=True))


def test_places_beyond_the_third_are_counted() -> None:
    """With those that were folded in memory."""
    many = [occurrence(File(b"f%d" % n), b"", TOKEN) for n in range(5)]
    page = rendered("text", result(token(*many, folded=1000)))
    assert "  also   f1:3:1\n  also   f2:3:1\n  also   1,002 more places\n" in page


def test_a_long_list_of_what_was_not_scanned_is_cut() -> None:
    """Five of each reason, the rest as a number."""
    entries = [NotScanned(b"blob %d" % n, "missing") for n in range(12)]
    page = rendered("text", result(not_scanned=entries))
    assert "NOT SCANNED  12 (the scan is incomplete)\n    blob 0: missing\n" in page
    assert "    blob 4: missing\n    … and 7 more like these (--format json lists them)\n" in page


HOSTILE = (
    (b"a\nb", "a\\x0ab"),
    (b"a\x1b[31mred", "a\\x1b[31mred"),
    (b"a\xc2\x9b31m", "a\\x9b31m"),
    ("a\u202etxt.exe".encode(), "a\\u202etxt.exe"),
    ("a\u2066b\u200b\u2028".encode(), "a\\u2066b\\u200b\\u2028"),
    (b"a\x07\x08\r\x7f", "a\\x07\\x08\\x0d\\x7f"),
    (b"caf\xe9.txt", "caf\ufffd.txt"),
)
"""What a file may be called, and how that is shown."""


@pytest.mark.parametrize(("path", "shown"), HOSTILE, ids=[s for _, s in HOSTILE])
@pytest.mark.parametrize("color", [False, True])
def test_a_hostile_name_is_never_printed_raw(path: bytes, shown: str, *, color: bool) -> None:
    """As a path, as an author, in the shown line, in the list of what was not scanned."""
    author = path.decode("utf-8", "replace")
    origin = GitBlob(BLOB, path, COMMIT, author, "2024-03-01T12:00:00+02:00", "unreachable", author)
    made = result(
        token(occurrence(origin, path.replace(b"\n", b""), TOKEN, path.replace(b"\n", b""))),
        not_scanned=[NotScanned(path, "cannot be read: " + author)],
    )
    page = rendered("text", made, color=color, width=400)
    plain = re.sub("\x1b\\[[0-9;]*m", "", page)
    assert f"  where  {shown}:3:" in plain
    assert f"by {shown}, " in plain
    assert f"({shown})" in plain
    assert f"    {shown}: cannot be read: {shown}\n" in plain
    assert set(plain) - {"\n"} == {c for c in plain if c.isprintable()}


def test_without_color_there_is_no_escape_byte() -> None:
    """With it, the same text once they are taken out."""
    plain, colored = rendered("text"), rendered("text", color=True)
    assert "\x1b" not in plain
    assert "\x1b[1;37;41m CRITICAL 95 \x1b[0m" in colored
    assert re.sub("\x1b\\[[0-9;]*m", "", colored) == plain


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_no_format_shows_more_of_a_secret_than_prefix_and_four(name: str) -> None:
    """Of a password nothing."""
    report = rendered(name, color=True) + rendered(name, stats=True)
    assert TOKEN[:8].decode() in report
    assert TOKEN[:9].decode() not in report
    assert not [at for at in range(4, len(TOKEN) - 5) if TOKEN[at : at + 5].decode() in report]
    assert not [at for at in range(len(PASSWORD) - 3) if PASSWORD[at : at + 4].decode() in report]


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_show_secrets_shows_the_value_and_only_then(name: str) -> None:
    """In the field of the secret; the shown line stays masked."""
    shown = rendered(name, show_secrets=True)
    assert shown.count(TOKEN.decode()) == 1
    assert TOKEN.decode() not in rendered(name)


@pytest.mark.parametrize(
    ("value", "prefix", "hidden", "mask"),
    [
        (b"abcd" + b"e" * 40, 4, False, "abcdeeee…[masked]"),
        (b"abcdefghij", 0, False, "ab…[masked]"),
        (b"abcd", 0, False, "…[masked]"),
        (b"abcdefghijklmnopqrst", 0, True, "…[masked]"),
        (b"\x1b[2J" + b"x" * 40, 0, False, " [2J…[masked]"),
        ("é".encode() + b"x" * 40, 0, False, "??xx…[masked]"),
    ],
)
def test_masks(value: bytes, prefix: int, mask: str, *, hidden: bool) -> None:
    """The fixed prefix and at most four more bytes; a fifth of a short value; of a password nothing."""
    assert Secret(value, prefix=prefix, hidden=hidden).mask() == mask


def test_a_secret_does_not_show_itself() -> None:
    """Neither printed nor in a traceback."""
    secret = Secret(TOKEN).named_by(DETECTORS["github-pat"])
    assert TOKEN.decode() not in f"{secret} {secret!r} {token(occurrence(HEAD, b'', TOKEN))!r}"


def test_the_next_step_of_a_staged_secret_is_to_unstage_it() -> None:
    """Nothing has left the machine yet."""
    staged = GitBlob(BLOB, b"a.ini", reach="staged")
    page = rendered("text", result(password(occurrence(staged, b"", PASSWORD))))
    assert "  next   take it out before you commit" in page
