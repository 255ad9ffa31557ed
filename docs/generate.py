"""Writes the generated parts of the documentation: help texts, tables of the code, the transcript of a scan.

`make docs` writes them; `python docs/generate.py --check` fails when one is stale. A generated part stands between
`<!-- generated: NAME -->` and `<!-- end -->` in any of the Markdown files.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from xml.sax.saxutils import escape

import click
import yaml
from oakum.detectors import samples
from oakum.detectors.checks import CHECKS, FILTERS
from oakum.scanner import catalog, rank
from oakum.scanner.catalog import names
from oakum.scanner.cli.commands import cli
from oakum.scanner.config import settings
from oakum.scanner.config.edit import written
from oakum.scanner.config.schema import meaning, schema
from oakum.scanner.listed import NameRule
from oakum.scanner.logins import _VARIABLES as LOGINS
from oakum.scanner.model import FACT_NAMES, KINDS, SEVERITIES
from oakum.scanner.report import metrics
from oakum.scanner.sources.listings.kinds import KINDS as KINDS_OF_LISTINGS
from oakum.scanner.store import states
from oakum.scanner.swept import News
from oakum.scanner.verification import HTTP, Verification
from oakum.scanner.verify.schemes import scheme_of

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
SCHEMA = ROOT / "docs" / "oakum.schema.json"
BLOCK = re.compile(r"<!-- generated: ([a-z-]+) -->\n(.*?)<!-- end -->", re.DOTALL)

# --- the demo repository --------------------------------------------------------------------------------------------

PERSON = {"NAME": "Ada Lovelace", "EMAIL": "ada@example.test"}


def make_demo(folder: Path) -> None:
    """A small repository with made-up secrets: at the head, deleted, in a stash, in a test. The same every time."""
    rng = Random("demo")  # noqa: S311  made-up secrets
    days = iter(range(1, 28))

    def git(*arguments: str) -> None:
        date = f"2024-03-{next(days):02}T12:00:00+00:00"
        who = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in PERSON.items()}
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_GLOBAL": os.devnull} | who
        environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True)

    def write(name: str, text: str) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def fresh(spec: str) -> str:
        return samples.build(spec, rng).decode("ascii")

    folder.mkdir()
    git("init", "--quiet", "--initial-branch=main")
    signed = signed_url(rng, "https://contosomodels.blob.core.windows.net/models/robust.pt")
    write("README.md", f"# demo\n\nThe [models]({signed}) are ready to use.\n")
    write("deploy/release.sh", f'#!/bin/sh\nexport GITHUB_TOKEN="{fresh("github:ghp")}"\n./publish\n')
    write("app/settings.py", f'DB_HOST = "db.internal"\nDB_USER = "root"\nDB_PASSWORD = "{fresh("human_password")}"\n')
    git("add", "--all")
    git("commit", "--quiet", "-m", "first version")
    write("deploy/release.sh", "#!/bin/sh\n./publish\n")
    git("commit", "--quiet", "-a", "-m", "take the token out")
    write("tests/test_mail.py", f'KEY = "{fresh("alnum:32")}"\nclient = Mail(api_key="{fresh("hex:40")}")\n')
    git("add", "--all")
    git("commit", "--quiet", "-m", "test the mail")
    write("deploy/key", fresh("openssh_key") + "\n")
    git("add", "--all")
    git("stash")
    write("config/example.env", "API_KEY=<your-api-key>\nPASSWORD=changeme\n")
    git("add", "--all")
    git("commit", "--quiet", "-m", "an example")


def signed_url(rng: Random, address: str) -> str:
    """An address with a made-up Azure account SAS that ends in 2051."""
    query = samples.build("azure_sas:account", rng).decode("ascii")
    return f"{address}?{re.sub('se=20[0-9]{2}', 'se=2051', query)}"


def timeless(page: str) -> str:
    """A page without what depends on the day."""
    return re.sub(r"\(in\s+\d+\s+years\)", "(in 24 years)", page)


def transcript() -> str:
    """What `oakum scan` says of the demo repository; path and times are made the same every time."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name).resolve()
        make_demo(home / "demo")
        done = subprocess.run(
            [sys.executable, "-m", "oakum.scanner", "scan", "demo"],
            cwd=home,
            env={"PATH": os.environ["PATH"], "COLUMNS": "100", "LC_ALL": "C.UTF-8", "XDG_CONFIG_HOME": str(home)},
            capture_output=True,
            check=False,
        )
        page = done.stdout.decode("utf-8").replace(str(home), "/home/ada")
        if done.returncode != 1 or done.stderr:
            raise SystemExit(f"the scan of the demo repository ended with {done.returncode}: {done.stderr.decode()}")
    page = re.sub(r"in [\d.]+ s(?: \([\d,]+ MB/s\))?", "in 0.1 s", page)
    return "```text\n$ oakum scan demo\n" + timeless(page) + "```\n"


def push_transcript() -> str:
    """What a push says that would publish a made-up token."""
    rng = Random("push")  # noqa: S311  made-up
    who = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in PERSON.items()}
    dates = {f"GIT_{role}_DATE": "2024-03-01T12:00:00+00:00" for role in ("AUTHOR", "COMMITTER")}
    with tempfile.TemporaryDirectory() as name:
        home = Path(name).resolve()
        environment = {"PATH": os.environ["PATH"], "HOME": name, "COLUMNS": "100", "GIT_CONFIG_NOSYSTEM": "1"}

        def git(*arguments: str, fails: bool = False) -> str:
            done = subprocess.run(
                ["git", "-C", str(home / "work"), *arguments],
                env=environment | who | dates,
                capture_output=True,
                check=False,
            )
            assert (done.returncode != 0) == fails, done.stderr
            return done.stderr.decode()

        (home / "work" / "deploy").mkdir(parents=True)
        git("init", "--quiet", "--initial-branch=main")
        git("init", "--quiet", "--bare", str(home / "remote.git"))
        git("remote", "add", "origin", str(home / "remote.git"))
        hook = home / "work" / ".git" / "hooks" / "pre-push"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m oakum.scanner push "$@"\n')
        hook.chmod(0o755)
        token = samples.build("github:ghp", rng).decode()
        for message, text in (("release by hand", f"export GITHUB_TOKEN={token}\n./publish\n"), ("say so", "# how\n")):
            with (home / "work" / "deploy" / "release.sh").open("a") as file:
                file.write(text)
            git("add", "--all")
            git("commit", "--quiet", "-m", message)
        page = git("push", "origin", "main", fails=True).replace(name, "/home/ada")
    return "```text\n$ git push origin main\n" + timeless(page).rstrip() + "\n```\n"


def explain_transcript() -> str:
    """What `oakum explain` says of a made-up account SAS."""
    url = signed_url(Random("explain"), "https://contosomodels.blob.core.windows.net/models")  # noqa: S311  made-up
    done = subprocess.run(
        [sys.executable, "-m", "oakum.scanner", "explain"],
        input=url.encode(),
        env={"PATH": os.environ["PATH"], "COLUMNS": "100", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=True,
    )
    return "```text\n$ oakum explain < url.txt\n" + timeless(done.stdout.decode("utf-8")).rstrip() + "\n```\n"


def made_up_listing(rng: Random) -> str:
    """A listing as List Blobs of Azure answers, of a container with a disk's backup in it."""

    def blob(name: str, size: int, day: int) -> str:
        return (
            f"<Blob><Name>{escape(name)}</Name><Properties><Last-Modified>Mon, {day:02} Jul 2020 10:00:00 GMT"
            f"</Last-Modified><Etag>0x8D</Etag><Content-Length>{size}</Content-Length></Properties></Blob>"
        )

    blobs = [
        blob("disks/alice-laptop.vhdx", 412_000_000_000, 20),
        blob("disks/bob-laptop.vhdx", 388_000_000_000, 20),
        blob("home/alice/.ssh/id_rsa", 1_679, 3),
        blob("home/alice/.ssh/id_rsa.pub", 400, 3),
        blob("home/alice/Documents/passwords.xlsx", 23_100, 14),
        blob("home/alice/Documents/password-policy.pdf", 801_000, 14),
        blob("services/billing/.env.production", 912, 9),
        blob("services/billing/db-2020-07-01.sql.gz", 9_400_000_000, 1),
        blob(f"share/model.pt?{samples.build('azure_sas:account', rng).decode()}", 5, 2),
        *(blob(f"models/v{n // 40}/part-{n:05}.bin", rng.randint(10**8, 10**9), 5) for n in range(160)),
    ]
    return (
        '<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://contosomodels.blob.core.'
        f'windows.net/" ContainerName="backups"><Blobs>{"".join(blobs)}</Blobs><NextMarker /></EnumerationResults>'
    )


def listing_transcript() -> str:
    """What `oakum listing` says of a made-up listing."""
    with tempfile.TemporaryDirectory() as name:
        Path(name, "blobs.xml").write_text(made_up_listing(Random("listing")), "utf-8")  # noqa: S311  made-up
        done = subprocess.run(
            [sys.executable, "-m", "oakum.scanner", "listing", "blobs.xml"],
            cwd=name,
            env={"PATH": os.environ["PATH"], "COLUMNS": "100", "LC_ALL": "C.UTF-8", "XDG_CONFIG_HOME": name},
            capture_output=True,
            check=False,
        )
    page = re.sub(r"in [\d.]+ s(?: \([\d,]+ MB/s\))?", "in 0.1 s", done.stdout.decode("utf-8"))
    return "```text\n$ oakum listing blobs.xml\n" + timeless(page).rstrip() + "\n```\n"


def sweep_transcript() -> str:
    """What a sweep says on the second night: of a new secret, of one that was copied, of one that was taken away."""
    rng = Random("sweep")  # noqa: S311  made-up
    who = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in PERSON.items()}
    with tempfile.TemporaryDirectory() as name:
        home = Path(name).resolve()
        shop, site = home / "clones" / "shop", home / "clones" / "site"
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "COLUMNS": "100", "LC_ALL": "C.UTF-8"}
        environment |= {"OAKUM_STORE_KEY": "A" * 43, "GIT_CONFIG_NOSYSTEM": "1", **who}

        def commit(folder: Path, day: int, message: str, **files: str) -> None:
            for path, content in files.items():
                (folder / path).write_text(content, "utf-8")
            dates = {f"GIT_{role}_DATE": f"2024-04-{day:02}T12:00:00+00:00" for role in ("AUTHOR", "COMMITTER")}
            for command in (("init", "--quiet", "--initial-branch=main"), ("add", "--all"), ("commit", "-qm", message)):
                subprocess.run(
                    ["git", "-C", str(folder), *command], env=environment | dates, check=True, capture_output=True
                )

        def night() -> str:
            command = [sys.executable, "-m", "oakum.scanner", "sweep", "run", "clones", "--no-progress"]
            done = subprocess.run(command, cwd=home, env=environment, capture_output=True, check=False)
            if done.returncode != 1 or done.stderr:
                raise SystemExit(
                    f"the sweep for the documentation ended with {done.returncode}: {done.stderr.decode()}"
                )
            return done.stdout.decode("utf-8").replace(str(home), "/home/ada")

        token, key = (samples.build("github:ghp", rng).decode() for _ in range(2))
        for folder in (shop, site):
            folder.mkdir(parents=True)
        commit(shop, 1, "deploy", deploy=f"export GITHUB_TOKEN={token}\n", CODEOWNERS="* @acme/shop\n")
        commit(site, 1, "publish", publish=f"export GITHUB_TOKEN={key}\n")
        night()
        # In a test it ranks lower: which place comes first must not hang on the name of a temporary folder.
        commit(site, 2, "as the shop does", publish="./publish\n", test_publish=f"export GITHUB_TOKEN={token}\n")
        commit(shop, 2, "mail", mail=f"export GITHUB_TOKEN={samples.build('github:ghp', rng).decode()}\n")
        page = night()
    page = re.sub(r"(first|last) seen \d{4}-\d\d-\d\d", r"\1 seen 2024-04-02", page)
    page = re.sub(r"; \d+ s$", "; 1 s", page, flags=re.MULTILINE)
    return "```text\n$ oakum sweep run clones\n" + page.rstrip() + "\n```\n"


# --- help texts and tables ------------------------------------------------------------------------------------------


def help_text(*names: str) -> str:
    """The help of a command, 100 columns wide."""
    command: click.Command = cli
    settings = {**cli.context_settings, "terminal_width": 100}
    context = click.Context(cli, info_name="oakum", **settings)
    for name in names:
        assert isinstance(command, click.Group)
        command = command.get_command(context, name) or command
        context = click.Context(command, parent=context, info_name=name)
    return f"```text\n$ {' '.join(('oakum', *names))} --help\n{command.get_help(context)}\n```\n"


def table(*rows: Iterable[object]) -> str:
    """A Markdown table; the first row is its head."""
    lines = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    columns = lines[0].replace("\\|", "").count("|") - 1
    return "\n".join([lines[0], "|---" * columns + "|", *lines[1:]]) + "\n"


def detector_list() -> str:
    """Every detector."""
    found = catalog.load()
    rows = [(f"`{d.id}`", d.name, d.kind, d.severity, f"[source]({d.source})" if d.source else "") for d in found]
    return table(("id", "what it finds", "kind", "severity", "format"), *rows)


def detector_counts() -> str:
    """How many of which kind."""
    found = catalog.load()
    kinds = Counter(d.kind for d in found)
    providers = {d.provider for d in found if not d.generic}
    listed = ", ".join(f"{kinds[kind]} {kind}" for kind in KINDS if kinds[kind])
    return f"{len(found)} detectors in {len(providers) + 1} files: {listed}.\n"


def tables_of_rank() -> str:
    """Every factor of a rank."""
    words = {3: "an offline check", 2: "a fixed prefix", 1: "named by what stands around it", 0: "generic"}
    parts = [
        ("Bands", table(("band", "from"), *rank.BAND_FROM.items())),
        ("Impact: severity of the detector", table(("severity", "factor"), *rank.SEVERITY.items())),
        ("Impact: privilege", table(("privilege", "factor", "reason given"), *_rows(rank.PRIVILEGES))),
        ("Impact: scope", table(("scope", "factor", "reason given"), *_rows(rank.SCOPES))),
        ("Impact: lifetime", table(("time left", "factor"), *((_days(a), f) for a, f, _ in rank.LIFETIMES))),
        ("Impact: revocation", table(("ended by", "factor", "reason given"), *_rows(rank.REVOCATIONS))),
        ("Impact and certainty: circumstances", table(("circumstance", "factor", "reason given"), *_rows(rank.CASES))),
        (
            "Certainty: evidence",
            table(("detector has", "factor", "reason given"), *((words[k], *v) for k, v in rank.EVIDENCE.items())),
        ),
        ("Certainty: place", table(("path class", "factor", "reason given"), *_rows(rank.PLACES), _DOCS)),
        ("Certainty: verdict", table(("verdict", "factor"), *rank.VERDICTS.items())),
        ("Exposure: where the best of its places is", table(("place", "factor", "reason given"), *_rows(rank.REACH))),
    ]
    return "\n".join(f"### {title}\n{text}" for title, text in parts)


_DOCS = ("docs, an offline check passed", rank.CHECKED_IN_DOCS, rank.PLACES["docs"][1])


def _days(most: timedelta) -> str:
    """A limit of the time left, in words."""
    if not most:
        return "none"
    return f"up to {most.days} day{'' if most.days == 1 else 's'}" if most < timedelta.max else "more"


def _rows(factors: dict[str, tuple[float, str]]) -> list[tuple[str, float, str]]:
    return [(name or "none", value, text) for name, (value, text) in factors.items()]


def example(name: str) -> str:
    """A file that tests/ci runs."""
    return f"```yaml\n{(ROOT / name).read_text('utf-8')}```\n"


def action_inputs() -> str:
    """The inputs and outputs of the action."""
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    rows = [(f"`{n}`", f"`{i['default']}`", " ".join(i["description"].split())) for n, i in action["inputs"].items()]
    given = [(f"`{name}`", " ".join(output["description"].split())) for name, output in action["outputs"].items()]
    return f"{table(('input', 'default', ''), *rows)}\n{table(('output', ''), *given)}"


def name_kinds() -> str:
    """The rules for names, by kind."""
    rules, _ = names.load()
    kinds = sorted({rule.kind for rule in rules}, key=lambda kind: (min(map(_gravest, _of(rules, kind))), kind))
    rows = [
        (
            f"`{kind}`",
            len(_of(rules, kind)),
            max(rule.chance for rule in _of(rules, kind)),
            ", ".join(sorted({rule.impact for rule in _of(rules, kind)}, key=SEVERITIES.index)),
            max(_of(rules, kind), key=lambda rule: rule.chance).reason,
        )
        for kind in kinds
    ]
    return table(("kind", "rules", "chance, at most", "impact", "why, for example"), *rows)


def _of(rules: Iterable[NameRule], kind: str) -> list[NameRule]:
    return [rule for rule in rules if rule.kind == kind]


def _gravest(rule: NameRule) -> int:
    return SEVERITIES.index(rule.impact)


def first_line(function: Callable[..., object]) -> str:
    """What a function says of itself, to the first full stop."""
    return (function.__doc__ or "").strip().split("\n")[0]


def checks() -> str:
    """Every offline check."""
    rows = [(f"`{n}`" + (" (filter)" if n in FILTERS else ""), first_line(f)) for n, f in sorted(CHECKS.items())]
    return table(("check", "what it is"), *rows)


def verifications() -> str:
    """Every check, with the detectors that it is for."""
    checks: dict[tuple[str, Verification], list[str]] = {}
    for detector in catalog.load():
        if detector.verify:
            checks.setdefault((detector.provider, detector.verify), []).append(detector.id)
    rows = [
        (
            provider,
            ", ".join(f"`{name}`" for name in ids),
            ", then ".join(f"`{one}`" for one in (check.request, *check.others))
            if check.scheme == HTTP
            else _asked(check),
            ", ".join(name for name, _ in check.tells),
            f"[source]({check.source})",
        )
        for (provider, check), ids in checks.items()
    ]
    total, providers = sum(map(len, checks.values())), {provider for provider, _ in checks}
    head = ("provider", "detectors", "what is asked", "what is told", "described at")
    return f"{len(checks)} checks for {total} detectors of {len(providers)} providers.\n\n{table(head, *rows)}"


def _asked(check: Verification) -> str:
    """What the code of a scheme says of itself, in its first line."""
    return (scheme_of(check).__doc__ or check.scheme).strip().split("\n")[0].removesuffix(" (`verify/logins/`).")


def settings_of(some: Iterable[settings.Setting]) -> str:
    """The keys that a configuration file may have."""
    rows = [
        (f"`{one.name}`", one.kind.allowed, "" if one.default is None else f"`{written(one.default)}`", meaning(one))
        for one in some
    ]
    with_default = any(default for _, _, default, _ in rows)
    head = ("key", "value", "default", "meaning")
    return table(*([*row[:2], *row[2 if with_default else 3 :]] for row in (head, *rows)))


LEAST = {
    "github": (
        "github.com",
        "a fine-grained token: `Contents: read`, `Metadata: read`, for all repositories of the organization; or the "
        "token of an app with the same two permissions, which ends after an hour",
        "https://docs.github.com/en/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens",
    ),
    "github at another host": (
        "a host of GitHub Enterprise: `github:ORG@HOST`",
        "the same",
        "https://docs.github.com/en/enterprise-server/rest/authentication",
    ),
    "gitlab": (
        "gitlab.com, or the host of `gitlab:GROUP@HOST`",
        "an access token of the group with the role Reporter and the scopes `read_api` and `read_repository`",
        "https://docs.gitlab.com/user/group/settings/group_access_tokens/",
    ),
    "gitea": (
        "the host of `gitea:ORG@HOST`, Gitea or Forgejo",
        "a token with `read:organization`, `read:repository`, and for a user's repositories `read:user`",
        "https://docs.gitea.com/development/oauth2-provider#scopes",
    ),
    "bitbucket": (
        "bitbucket.org",
        "an access token of the workspace with `Repositories: Read`",
        "https://support.atlassian.com/bitbucket-cloud/docs/workspace-access-tokens/",
    ),
    "azure-devops": (
        "dev.azure.com",
        "a personal access token with `Code: Read`, and for all projects of an organization `Project and Team: Read`",
        "https://learn.microsoft.com/en-us/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate",
    ),
}
"""What the token of a host needs to be let: where it goes, its least rights, and where that is described."""
NAMED = {"bitbucket": ("BITBUCKET_EMAIL", "BITBUCKET_API_TOKEN")}
"""Variables that are read together, in place of a token."""


def sweep_logins() -> str:
    """Which variable holds the token of which host."""
    rows = []
    for kind, variables in LOGINS.items():
        host, least, source = LEAST[kind]
        named = ", ".join(f"`{name}`" for name, _ in variables)
        if kind in NAMED:
            named += ", or " + " and ".join(f"`{name}`" for name in NAMED[kind])
        rows.append((host, named, f"{least} ([source]({source}))"))
    return table(("host", "variable", "least that it needs"), *rows)


def table_of_states(number: int) -> str:
    """A table of the docstring of what works states out."""
    tables = re.findall(r"^\|.*\|$(?:\n\|.*\|$)*", states.__doc__ or "", re.MULTILINE)
    return f"{tables[number]}\n"


def sweep_metrics() -> str:
    """All metrics, with their labels."""
    time = datetime(2027, 1, 1, tzinfo=UTC)
    news = News(1, time, time, (), (), (), {})
    status = {"findings": {"states": {}, "bands": {}}, "repositories": {"failing": 0}}
    status |= {"deliveries": {"counts": dict.fromkeys(("waiting", "may have arrived", "given up", "sent"), 0)}}
    rows = []
    for part in metrics.render(news, status):
        if help_ := re.match(r"# HELP (\w+) (.*)\n", part):
            rows.append([f"`{help_[1]}`", "", help_[2]])
        elif label := re.match(r'\w+\{(\w+)="(.*?)"\}', part):
            rows[-1][1] += ("" if rows[-1][1] else f"`{label[1]}`: ") + label[2] + ", "
    return table(("metric", "label", "meaning"), *((name, label.rstrip(", "), text) for name, label, text in rows))


BLOCKS: dict[str, Callable[[], str]] = {
    "transcript": transcript,
    "push-transcript": push_transcript,
    "help": help_text,
    "help-scan": lambda: help_text("scan"),
    "help-listing": lambda: help_text("listing"),
    "listing-transcript": listing_transcript,
    "listing-kinds": lambda: table(
        ("kind", "what it is"), *((f"`{k.name}`", k.title) for k in KINDS_OF_LISTINGS.values())
    ),
    "name-kinds": name_kinds,
    "help-explain": lambda: help_text("explain"),
    "explain": explain_transcript,
    "github-actions": lambda: example("docs/ci/github-actions.yml"),
    "gitlab-ci": lambda: example("docs/ci/gitlab-ci.yml"),
    "action-inputs": action_inputs,
    "help-push": lambda: help_text("push"),
    "help-hook-run": lambda: help_text("hook", "run"),
    "help-hook-install": lambda: help_text("hook", "install"),
    "help-hook-uninstall": lambda: help_text("hook", "uninstall"),
    "help-hook-status": lambda: help_text("hook", "status"),
    "help-allow": lambda: help_text("allow"),
    "help-config-show": lambda: help_text("config", "show"),
    "help-config-schema": lambda: help_text("config", "schema"),
    "settings": lambda: settings_of(settings.SETTINGS),
    "entry": lambda: settings_of(settings.ENTRY),
    "help-sweep-run": lambda: help_text("sweep", "run"),
    "help-sweep-status": lambda: help_text("sweep", "status"),
    "help-sweep-findings": lambda: help_text("sweep", "findings"),
    "help-sweep-history": lambda: help_text("sweep", "history"),
    "help-sweep-mark": lambda: help_text("sweep", "mark"),
    "help-sweep-forget": lambda: help_text("sweep", "forget"),
    "sweep-transcript": sweep_transcript,
    "sweep-logins": sweep_logins,
    "sweep-states": lambda: table_of_states(0),
    "sweep-changes": lambda: table_of_states(1),
    "sweep-metrics": sweep_metrics,
    "help-detectors-list": lambda: help_text("detectors", "list"),
    "help-detectors-show": lambda: help_text("detectors", "show"),
    "detector-list": detector_list,
    "detector-counts": detector_counts,
    "rank-tables": tables_of_rank,
    "kinds": lambda: ", ".join(f"`{kind}`" for kind in KINDS) + ".\n",
    "severities": lambda: ", ".join(f"`{severity}`" for severity in SEVERITIES) + ".\n",
    "facts": lambda: ", ".join(f"`{name}`" for name in sorted(FACT_NAMES)) + ".\n",
    "checks": checks,
    "help-verify": lambda: help_text("verify"),
    "verifications": verifications,
    "samples": lambda: table(
        ("builder", "what it draws"), *((f"`{n}`", first_line(f)) for n, f in sorted(samples.BUILDERS.items()))
    ),
}


def stale() -> dict[Path, str]:
    """The pages that are not as they should be, and the schema, each with the text that it should have."""
    made: dict[str, str] = {}

    def block(found: re.Match[str]) -> str:
        name = found[1]
        if name not in made:
            made[name] = BLOCKS[name]()
        return f"<!-- generated: {name} -->\n{made[name]}<!-- end -->"

    texts = {page: BLOCK.sub(block, page.read_text("utf-8")) for page in PAGES}
    texts[SCHEMA] = json.dumps(schema(), indent=2) + "\n"
    return {path: text for path, text in texts.items() if not path.exists() or path.read_text("utf-8") != text}


def main() -> int:
    """Write what is stale, or with --check only say so."""
    check = sys.argv[1:] == ["--check"]
    for page, text in stale().items():
        name = page.relative_to(ROOT)
        sys.stdout.write(f"{name}: stale; `make docs` writes it again\n" if check else f"{name}: written\n")
        if not check:
            page.write_text(text, "utf-8")
    return 1 if check and stale() else 0


if __name__ == "__main__":
    sys.exit(main())
