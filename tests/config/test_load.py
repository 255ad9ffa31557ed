"""The configuration in force: where it is read, who may set what, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from oakum.scanner.config import Config, Push, load
from oakum.scanner.config.reading import InForce, in_force, read
from oakum.scanner.config.settings import FINGERPRINT, GLOB, SIZE, TEXT, TIME
from oakum.scanner.errors import ConfigError
from oakum.scanner.model import Suppression


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root of a target."""
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """The folder of the user's own configuration."""
    (tmp_path / "user").mkdir()
    return tmp_path / "user"


def loaded(user: Path, root: Path, **files: str) -> Config:
    """What is in force with these files: `own` is the user's, `target` and `project` those of the target."""
    paths = {"own": user / "config.toml", "target": root / ".oakum.toml", "project": root / "pyproject.toml"}
    for name, text in files.items():
        paths[name].write_text(text, "utf-8")
    return load(str(user), os.fsencode(root))


def refusal(user: Path, root: Path, **files: str) -> str:
    """What is said to them, without the way to their folder."""
    with pytest.raises(ConfigError) as e:
        loaded(user, root, **files)
    return str(e.value).replace(f"{user.parent}{os.sep}", "")


DEFAULTS = (
    InForce("min-band", "low", "default"),
    InForce("max-size", "64M", "default"),
    InForce("detectors", [], "default"),
    InForce("markers", True, "default"),
    InForce("push.min-band", "medium", "default"),
    InForce("push.budget", 10, "default"),
    InForce("push.on-incomplete", "warn", "default"),
)
NOTHING = Config("low", 64 << 20, (), True, Push("medium", 10.0, "warn"), ())

# --- where it comes from --------------------------------------------------------------------------------------------


def test_without_a_file_the_defaults_hold(user: Path, root: Path) -> None:
    """Also without anywhere to look, and where files are empty or for others."""
    assert load("") == load(str(user)) == load("", os.fsencode(root)) == read("", b"", "") == NOTHING
    assert in_force(str(user), os.fsencode(root)) == DEFAULTS
    assert loaded(user, root, own="", target="# nothing\n", project='[project]\nname = "oakum-user"\n') == NOTHING


def test_without_a_file_nothing_that_takes_time_is_imported(user: Path, root: Path) -> None:
    """A hook runs at every push."""
    code = (
        "import sys; from oakum.scanner.config import load; load(sys.argv[1], sys.argv[2].encode()); "
        "print([name for name in ('tomllib', 'difflib', 'json') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, user, root], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_all_that_a_user_may_set(user: Path, root: Path) -> None:
    """Each value with the file that it comes from; detectors are files beside it."""
    own = """
        min-band = "high"
        max-size = "1G"
        detectors = ["mine.toml", "more/theirs.toml"]
        markers = false

        [push]
        min-band = "critical"
        budget = "2m"
        on-incomplete = "block"

        [[allow]]
        detector = "acme-token"
        reason = "not ours"
    """
    there = str(user / "config.toml")
    detectors = [str(user / "mine.toml"), str(user / "more" / "theirs.toml")]
    values = ["high", "1G", detectors, False, "critical", "2m", "block"]
    assert loaded(user, root, own=own) == Config(
        "high",
        1 << 30,
        tuple(detectors),
        False,
        Push("critical", 120.0, "block"),
        (Suppression("not ours", detector="acme-token", source=there),),
    )
    assert in_force(str(user)) == tuple(InForce(d.name, v, there) for d, v in zip(DEFAULTS, values, strict=True))


def test_a_target_goes_before_the_user_and_the_user_before_the_defaults(user: Path, root: Path) -> None:
    """Setting by setting; entries add up, the target's first."""
    found = loaded(
        user,
        root,
        own='min-band = "high"\npush.budget = 3\nallow = [{ path = "*.md", reason = "mine" }]\n',
        target='min-band = "medium"\n\n[push]\nmin-band = "low"\n\n[[allow]]\npath = "tests/**"\nreason = "one"\n',
        project='[tool.oakum]\nmax-size = "1k"\n[[tool.oakum.allow]]\npath = "*.txt"\nreason = "two"\n',
    )
    target, project, own = (str(path) for path in (root / ".oakum.toml", root / "pyproject.toml", user / "config.toml"))
    project = f"{project} [tool.oakum]"
    assert {one.name: (one.value, one.source) for one in in_force(str(user), os.fsencode(root))} == {
        "min-band": ("medium", target),
        "max-size": ("1k", project),
        "detectors": ([], "default"),
        "markers": (True, "default"),
        "push.min-band": ("low", target),
        "push.budget": (3, own),
        "push.on-incomplete": ("warn", "default"),
    }
    assert (found.min_band, found.max_size, found.push) == ("medium", 1024, Push("low", 3.0, "warn"))
    assert found.allow == (
        Suppression("one", path="tests/**", source=target),
        Suppression("two", path="*.txt", source=project),
        Suppression("mine", path="*.md", source=own),
    )


@pytest.mark.parametrize(
    ("target", "own", "size", "source"),
    [
        ("1M", "", 1 << 20, "target"),
        ("1G", "", 64 << 20, "default"),
        ("1G", "128M", 128 << 20, "user"),
        ("100M", "128M", 100 << 20, "target"),
    ],
)
def test_a_target_lowers_the_largest_size_and_never_raises_it(
    user: Path, root: Path, target: str, own: str, size: int, source: str
) -> None:
    """Who reads a hostile pack wants to know how much of it."""
    found = loaded(user, root, target=f'max-size = "{target}"', own=f'max-size = "{own}"' if own else "")
    names = {"target": str(root / ".oakum.toml"), "user": str(user / "config.toml"), "default": "default"}
    assert (found.max_size, in_force(str(user), os.fsencode(root))[1].source) == (size, names[source])


def test_a_file_that_is_named_takes_the_place_of_the_targets(user: Path, root: Path, tmp_path: Path) -> None:
    """The user's own still counts. A pyproject.toml is read as one."""
    loaded(user, root, own="push.budget = 3", target='min-band = "high"')
    (tmp_path / "ci.toml").write_text('max-size = "1k"')
    (tmp_path / "pyproject.toml").write_text('[tool.oakum]\nmax-size = "2k"')
    named = load(str(user), os.fsencode(root), str(tmp_path / "ci.toml"))
    assert (named.min_band, named.max_size, named.push.budget) == ("low", 1024, 3.0)
    assert load("", b"", str(tmp_path / "pyproject.toml")).max_size == 2048
    with pytest.raises(ConfigError, match="nosuch: there is no such file; --no-config does without one"):
        load(str(user), os.fsencode(root), "nosuch")


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege on Windows")
def test_the_users_own_file_may_be_a_link(user: Path, root: Path, tmp_path: Path) -> None:
    """As those who keep such files in a repository have it."""
    (tmp_path / "dotfiles.toml").write_text("push.budget = 3")
    (user / "config.toml").symlink_to(tmp_path / "dotfiles.toml")
    assert load(str(user), os.fsencode(root)).push.budget == 3.0


# --- entries --------------------------------------------------------------------------------------------------------


def test_all_that_an_entry_may_hold(user: Path, root: Path) -> None:
    """A day is a date of TOML, or a text."""
    text = f"""
        [[allow]]
        fingerprint = "{"a" * 26}"
        reason = "a test key"
        expires = 2030-12-31
        by = "Ada"
        seen = "a.py (acme-key)"

        [[allow]]
        path = "tests/**"
        detector = "acme-key"
        reason = "made up"
        expires = "2030-12-31"
    """
    there, day = str(root / ".oakum.toml"), date(2030, 12, 31)
    assert loaded(user, root, target=text).allow == (
        Suppression("a test key", "a" * 26, expires=day, by="Ada", seen="a.py (acme-key)", source=there),
        Suppression("made up", path="tests/**", detector="acme-key", expires=day, source=there),
    )


# --- mistakes -------------------------------------------------------------------------------------------------------

BANDS = "expected one of low, medium, high, critical"
SETTINGS = "min-band, max-size, detectors, markers, push.min-band, push.budget, push.on-incomplete, push, allow"
ALLOW = '[[allow]]\nreason = "x"\n'
ONE_OR_THE_OTHER = "allow 1: has either a fingerprint, or a path, a detector or both of them"
SEVERAL = f'fingerprint = "{"a" * 26}"\npath = "x"'
MISTAKES = [
    ("min-bond = 1", "min-bond: there is no such setting; did you mean min-band?"),
    ("max_size = 1", "max_size: there is no such setting; did you mean max-size?"),
    ("[push]\nbuget = 1", "push.buget: there is no such setting; did you mean push.budget?"),
    ('"push.budget" = 1', '"push.budget": there is no such setting; did you mean push.budget?'),
    ("[markers" + ".a" * 199 + "]\n" + ".".join("a" * 199) + " = " + "[" * 200 + "]" * 200, "markers: {'a': {…"),
    ("zzz = 1", f"zzz: there is no such setting; those that are: {SETTINGS}"),
    ('min-band = "worst"', f"min-band: 'worst' is not allowed: {BANDS}"),
    ("min-band = 1", f"min-band: 1 is not allowed: {BANDS}"),
    ("max-size = 64", f"max-size: 64 is not allowed: expected {SIZE.allowed}"),
    ('push.budget = "ten"', f"push.budget: 'ten' is not allowed: expected {TIME.allowed}"),
    ('push.on-incomplete = "stop"', "push.on-incomplete: 'stop' is not allowed: expected one of warn, block"),
    ("push = 1", "push: is a table"),
    ("allow = 1", "allow: entries are written as [[allow]] tables"),
    ("allow = [1]", "allow 1: is a table"),
    ('[[allow]]\npath = "x"', "allow 1: reason: is required: say why this is accepted"),
    (ALLOW, ONE_OR_THE_OTHER),
    (ALLOW + SEVERAL, ONE_OR_THE_OTHER),
    ('[[allow]]\nreason = " "', f"allow 1: reason: ' ' is not allowed: expected {TEXT.allowed}"),
    (ALLOW + 'fingerprint = "A1"', f"allow 1: fingerprint: 'A1' is not allowed: expected {FINGERPRINT.allowed}"),
    (ALLOW + 'paths = "x"', "allow 1: paths: there is no such setting; did you mean path?"),
    (ALLOW + 'path = "../x"', f"allow 1: path: '../x' is not allowed: expected {GLOB.allowed}"),
    (ALLOW + 'expires = "soon"', "allow 1: expires: 'soon' is not allowed: expected a date such as 2030-12-31"),
    ("min-band = ", "is not valid TOML: …"),
    ("a = " + "[" * 100_000, "is not valid TOML: …"),
    ("a = " + "1" * 100_000, "is not valid TOML: …"),
    (".".join("a" * 5000) + " = 1", "a line with more than 200 dots is not read"),
    ("min-band = '\x1b'", "is not valid TOML: …"),
    ("#" * (1 << 20) + "\n", "is larger than 1 MiB"),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES, ids=[said[:40] for _, said in MISTAKES])
def test_a_mistake_is_named(user: Path, root: Path, text: str, said: str) -> None:
    """With the file, the key, and what is allowed; what the reader of TOML says depends on its version."""
    found, there = refusal(user, root, target=text), f"root{os.sep}.oakum.toml: "
    assert found.startswith(there + said[:-1]) if said.endswith("…") else found == there + said


@pytest.mark.parametrize("setting", ["markers = false", 'detectors = ["x.toml"]'])
@pytest.mark.parametrize("file", ["target", "project"])
def test_a_target_may_only_suppress(user: Path, root: Path, file: str, setting: str) -> None:
    """What is looked for, and whether lines may speak for themselves, is up to who scans."""
    name = setting.split()[0]
    text = f"[tool.oakum]\n{setting}" if file == "project" else setting
    where = "pyproject.toml [tool.oakum]" if file == "project" else ".oakum.toml"
    why = "only the user's own configuration may set this: a target may only suppress"
    assert refusal(user, root, **{file: text}) == f"root{os.sep}{where}: {name}: {why}"


def test_a_setting_that_stands_in_both_files_of_a_target(user: Path, root: Path) -> None:
    """Neither of them is preferred."""
    said = refusal(user, root, target="push.budget = 1", project="[tool.oakum.push]\nbudget = 1")
    files = f"root{os.sep}.oakum.toml and in root{os.sep}pyproject.toml [tool.oakum]"
    assert said == f"push.budget: stands both in {files}: keep one of them"


def test_text_that_is_not_utf8(user: Path, root: Path) -> None:
    """As an editor may have written it."""
    (root / ".oakum.toml").write_bytes(b'# caf\xe9\nmin-band = "low"\n')
    assert refusal(user, root) == f"root{os.sep}.oakum.toml: is not UTF-8 (byte 5); TOML is"


@pytest.mark.skipif(sys.platform == "win32", reason="no FIFOs, and symbolic links need a privilege on Windows")
def test_what_is_no_regular_file(user: Path, root: Path, tmp_path: Path) -> None:
    """A target's is neither waited for nor followed; a pyproject.toml that is none is somebody else's matter."""
    there = root / ".oakum.toml"
    os.mkfifo(there)
    os.mkfifo(root / "pyproject.toml")
    assert refusal(user, root) == "root/.oakum.toml: is not a regular file"
    there.unlink()
    there.mkdir()
    assert refusal(user, root) == "root/.oakum.toml: is not a regular file"
    there.rmdir()
    (tmp_path / "elsewhere.toml").write_text("[tool.oakum]\nmarkers = false\n")
    there.symlink_to(tmp_path / "elsewhere.toml")
    why = "is a symbolic link, which is not followed; put the file itself there, or name it with --config"
    assert refusal(user, root) == f"root/.oakum.toml: {why}"
    there.unlink()
    (root / "pyproject.toml").unlink()
    (root / "pyproject.toml").symlink_to(tmp_path / "elsewhere.toml")
    assert loaded(user, root) == NOTHING


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(user: Path, root: Path) -> None:
    """It could hold what its owner wants to be heeded."""
    (root / ".oakum.toml").write_text("")
    (root / ".oakum.toml").chmod(0)
    assert refusal(user, root) == "root/.oakum.toml: cannot be read: Permission denied"


def test_a_name_is_never_printed_raw(user: Path, root: Path) -> None:
    """Neither a key nor a value of a target."""
    said = refusal(user, root, target='"\\u001b[31mred\\u202e" = 1')
    assert said.startswith(f"root{os.sep}.oakum.toml: \\x1b[31mred\\u202e: there is no such setting")
    assert refusal(user, root, target='min-band = "\\u202e"').startswith(
        f"root{os.sep}.oakum.toml: min-band: '\\u202e' is not allowed"
    )
