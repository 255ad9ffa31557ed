"""Incident 1: the README of a public repository held an Azure account SAS with full control until 2051.

It opened 38 TB: disk backups with private keys and passwords, 30,000 chat messages. A scanner had flagged the URL and
classed it as a false positive. oakum puts it first, among 40 lesser findings in 300 files, and says why in one line.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from git_repository import GitRepository
from scanning import Fresh, scan

LESSER = (
    ("src/service_{}.py", 'API_KEY = "{}"\n', "mixed:40"),
    ("tests/test_client_{}.py", 'client = Client(password="{}")\n', "human_password"),
    ("examples/config_{}.env", "TOKEN={}\n", "hex:40"),
    ("docs/howto_{}.md", "    curl -u deploy:{} https://api.acme.test/v1\n", "human_password"),
)
"""Ten files of each: what every repository has."""


def build(repo: GitRepository, fresh: Fresh, form: str) -> str:
    """300 files, 40 of them with something in them, and the README."""
    files = {
        f"models/layer_{n}.py": f"SIZE = {n}\n\n\ndef forward(x):\n    return x * SIZE\n".encode() for n in range(259)
    }
    for path, template, spec in LESSER:
        for n in range(10):
            files[path.format(n)] = template.format(fresh(spec).decode()).encode()
    signature = fresh("base64:32").decode().replace("+", "%2B").replace("/", "%2F")
    query = (
        "sv=2020-08-04&ss=b&srt=sco&sp=racwdl&st=2021-10-05T23%3A09%3A59Z&se=2051-10-06T23%3A09%3A00Z&sig="
        + signature.replace("=", "%3D")
    )
    url = f"https://contosomodels.blob.core.windows.net/models/robust.pt?{query}"
    files["README.md"] = ("# Robust models\n\n" + form.format(url, html=url.replace("&", "&amp;")) + "\n").encode()
    repo.commit(files, "open source the models")
    return query


FORMS = {
    "a link": "Download the [models]({}) first.",
    "a command": "    wget '{}'",
    "a page": '<a href="{html}">models</a>',
}


@pytest.mark.parametrize("form", FORMS)
def test_the_signed_url_comes_first_with_the_reasons(repo: GitRepository, fresh: Fresh, form: str) -> None:
    """However it is written."""
    query = build(repo, fresh, FORMS[form])
    result = scan(repo.path)
    top, *others = result.findings
    assert top.finding.secret.reveal().decode() == query
    assert top.summary == (
        'Azure account SAS: full control (racwdl) of blobs in account "contosomodels", expires 2051-10-06 (in 24 '
        "years), any IP, plain http allowed; can be revoked only by rotating the account key"
    )
    assert [r.text for r in top.reasons] == [
        "base severity critical (host contosomodels.blob.core.windows.net)",
        "full control (racwdl)",
        "opens a whole account",
        "expires 2051-10-06 (in 24 years)",
        "any IP",
        "plain http allowed",
        "can be revoked only by rotating the account key",
        "format and offline check pass",
        "at the head of the default branch",
    ]
    assert (top.band, len(others)) == ("critical", 40)
    assert max(o.score for o in others) < top.score


def test_the_page_says_it_in_one_line(repo: GitRepository, fresh: Fresh) -> None:
    """At its top, without the signature."""
    query = build(repo, fresh, FORMS["a link"])
    done = subprocess.run(
        [sys.executable, "-m", "oakum.scanner", "scan", str(repo.path), "--no-progress"],
        capture_output=True,
        text=True,
        check=False,
    )
    page = " ".join(done.stdout.split())
    told = (
        'CRITICAL 95 Azure account SAS: full control (racwdl) of blobs in account "contosomodels", expires 2051-10-06'
    )
    assert told in page
    assert page.index("CRITICAL") == page.index(told)
    assert "README.md:3" in done.stdout
    assert query[-20:] not in done.stdout


def test_explain_says_what_to_do(repo: GitRepository, fresh: Fresh) -> None:
    """Offline, from the URL alone."""
    query = build(repo, fresh, FORMS["a link"])
    done = subprocess.run(
        [sys.executable, "-m", "oakum.scanner", "explain", "--format", "json"],
        input=f"https://contosomodels.blob.core.windows.net/models/robust.pt?{query}",
        capture_output=True,
        text=True,
        check=True,
    )
    (secret,) = json.loads(done.stdout)["secrets"]
    assert secret["next"][0] == (
        "regenerate the account's key that signed it (every other signature made with it ends, too)"
    )
    assert secret["facts"]["expires"] == "2051-10-06T23:09:00Z"
