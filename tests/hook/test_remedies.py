"""The page that stops a push says how to go on: its commands are run here as they stand, with an editor's part played.

Whatever was done: the push passes then, the remote never held the secret, and no other work is lost.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from git_repository import GitRepository
from oakum.scanner.hook.names import pathspecs
from oakum.scanner.model import Secret
from pushing import Pushing
from scanning import Fresh

GITHUB = (
    "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/token-expiration-and-revocation"
)


def mask(secret: bytes) -> str:
    """A GitHub token as it is shown."""
    return Secret(secret, prefix=4).mask()


def fingerprint(secret: bytes) -> str:
    """As it is shown."""
    return Secret(secret).fingerprint()


@pytest.fixture
def pushing(tmp_path: Path) -> Pushing:
    """A repository with a remote."""
    return Pushing.create(tmp_path)


@dataclass(frozen=True)
class Step:
    """A line of a way to go on: what to do, or a command to run."""

    text: str
    command: bool


BEGINNING = re.compile(r"first |take |in the list |where |after |then |merges |revoke |and so |[0-9,]+ more commits")
"""How a line begins that does not go on with the one before it."""


def way(page: str, word: str) -> list[Step]:
    """What the page says of a way. Lines that are broken are put together; notes on commands go."""
    lines = page.partition("\nTo go on:\n")[2].splitlines()
    steps: list[Step] = []
    current = ""
    for line in lines:
        assert line.startswith("  "), page
        current = line[2:8].strip() or current
        if current != word:
            continue
        text = re.sub(r" {3}\(.*\)$", "", line[10:].strip())
        is_command = bool(re.match(r"(?:git|oakum|OAKUM_SKIP=\S+) ", text))
        if is_command or not steps or steps[-1].command or BEGINNING.match(text):
            steps.append(Step(text, is_command))
        elif not text.startswith("("):
            steps[-1] = Step(f"{steps[-1].text} {text}", False)
    return steps


@dataclass
class User:
    """Does what the page says, and takes the secrets out where it is told to.

    In a conflict the side of the commit that is replayed is taken; of a fix-up, that of the commit it goes into.
    """

    pushing: Pushing
    secrets: Sequence[bytes]
    moved: dict[Path, bytes] = field(default_factory=dict)
    conflicts: int = 0

    @property
    def path(self) -> Path:
        return self.pushing.work.path

    def goes_on(self, page: str) -> None:
        """Follow the way `remove`."""
        steps = way(page, "remove")
        said = [step.text for step in steps if not step.command]
        stops = next((text for text in said if text.startswith("in the list")), "")
        by_rebase = [step.text for step in steps if step.command and "rebase --continue" in step.text]
        for step in steps:
            if step.text.startswith("first move"):
                self._moves_away()
            elif re.match("take (?:it|them) out of ", step.text):
                self.takes_it_out()
            elif step.command and step.text not in by_rebase:
                self._runs(step.text, stops)
                self._ends_the_rebase(by_rebase)
        for path, content in self.moved.items():
            path.write_bytes(content)

    def takes_it_out(self) -> None:
        """Of each file in the work tree, the lines with secrets; conflicts are resolved."""
        for path in self.path.rglob("*"):
            if path.is_file() and not path.is_symlink() and ".git" not in path.relative_to(self.path).parts:
                content = path.read_bytes()
                path.write_bytes(without(self._resolved(content), self.secrets))
        stages = [line.split(b"\t") for line in self.pushing.work.run("ls-files", "-z", "--unmerged").split(b"\0")[:-1]]
        for name in {name for _, name in stages} - {name for entry, name in stages if entry.endswith(b" 3")}:
            (self.path / name.decode()).unlink()  # the commit that is replayed deletes it

    def _resolved(self, content: bytes) -> bytes:
        side = rb"\g<ours>" if self._in_a_fixup else rb"\g<theirs>"
        hunk = rb"<{7} [^\n]*\n(?P<ours>.*?)(?:\|{7}.*?)?={7}\n(?P<theirs>.*?)>{7} [^\n]*\n"
        return re.sub(hunk, side, content, flags=re.DOTALL)

    @property
    def _in_a_fixup(self) -> bool:
        done = self.path / ".git" / "rebase-merge" / "done"
        return done.is_file() and done.read_text().splitlines()[-1].startswith("fixup")

    def _moves_away(self) -> None:
        listed = self.pushing.work.run("ls-files", "-z", "--others").split(b"\0")
        for path in (self.path / name.decode() for name in listed if name):
            self.moved[path] = path.read_bytes()
            path.unlink()

    def _runs(self, command: str, stops: str = "") -> None:
        """With an editor that takes the secrets out of messages, and marks commits in the list of a rebase."""
        script = "".join(f"s/{secret.decode()}//g\n" for secret in self.secrets)
        (self.path / ".git" / "message.sed").write_text(script)
        marks = []
        for words, names in re.findall(r"(`\w+` for `pick` before|a line `break` below) ([0-9a-f, ]+)", stops):
            for name in names.split(", "):
                merge = f"/^merge -C {name[:7]}/s/$/\\nbreak/\n"
                marks.append(merge if "break" in words else f"/^pick {name[:7]}/s/^pick/{words.split('`')[1]}/\n")
        (self.path / ".git" / "list.sed").write_text("".join(marks))
        editors = {"GIT_EDITOR": "sed -i -f .git/message.sed", "GIT_SEQUENCE_EDITOR": "sed -i -f .git/list.sed"}
        if "sequence.editor=:" in command:
            del editors["GIT_SEQUENCE_EDITOR"]
        done = self.pushing.bash(command, **editors)
        assert done.returncode == 0 or self._rebasing, (command, done.stderr)

    @property
    def _rebasing(self) -> bool:
        return (self.path / ".git" / "rebase-merge").exists()

    def _ends_the_rebase(self, commands: Sequence[str]) -> None:
        for _ in range(20):
            if not self._rebasing:
                return
            unmerged = bool(self.pushing.work.run("ls-files", "--unmerged"))
            self.conflicts += unmerged
            self.takes_it_out()
            wanted = "git add --update" if unmerged else "git commit"
            self._runs(next(command for command in commands if command.startswith(wanted)))
        raise AssertionError("the rebase does not end")


def without(content: bytes, secrets: Sequence[bytes]) -> bytes:
    """Without the lines that hold one of the secrets."""
    return b"".join(line for line in content.splitlines(keepends=True) if not any(s in line for s in secrets))


def work(pushing: Pushing, secrets: Sequence[bytes], name: str = "HEAD") -> Iterator[tuple[object, ...]]:
    """The work of the commits that the remote does not have: all that there is of it, but for lines with secrets."""
    git = pushing.work
    for commit in git.git("rev-list", "--author-date-order", "--reverse", name, "--not", "--remotes").split():
        entries = git.run("ls-tree", "-r", "-z", commit).split(b"\0")
        files = {path: without(git.run("cat-file", "blob", entry.split()[2]), secrets)
                 for entry, path in (e.split(b"\t", 1) for e in entries if e)}  # fmt: skip
        head, _, message = git.run("cat-file", "commit", commit).partition(b"\n\n")
        for secret in secrets:
            message = message.replace(secret, b"")
        author = next(line for line in head.splitlines() if line.startswith(b"author "))
        yield head.count(b"\nparent "), author, message, files


def test_proof_of_the_tests(pushing: Pushing, fresh: Fresh) -> None:
    """The same push without the hook would have published it."""
    secret = fresh()
    pushing.work.commit({"app.cfg": b"token = " + secret + b"\n"})
    assert pushing.push("--no-verify").code == 0
    assert pushing.published(secret)


def assert_goes_on(
    pushing: Pushing,
    secrets: Sequence[bytes],
    *arguments: str,
    names: Sequence[str] = ("HEAD",),
    gone: Sequence[bytes] = (),
    rounds: int = 1,
) -> User:
    """The push is stopped, and passes after what the page says. Commits of the messages `gone` become empty and go."""
    before = [[commit for commit in work(pushing, secrets, name) if commit[2] not in gone] for name in names]
    user = User(pushing, secrets)
    for _ in range(rounds):
        stopped = pushing.push(*arguments)
        assert stopped.code == 1, stopped.said
        assert not any(secret.decode() in stopped.said for secret in secrets)
        user.goes_on(stopped.said)
    assert [list(work(pushing, secrets, name)) for name in names] == before
    passed = pushing.push(*arguments)
    assert passed.code == 0, passed.said
    assert not any(pushing.published(secret) for secret in secrets)
    return user


def remove(page: str) -> list[str]:
    """The way `remove`, line by line."""
    return [step.text for step in way(page, "remove")]


@pytest.mark.long
class TestFiles:
    """A secret in a file."""

    def test_in_the_last_commit(self, pushing: Pushing, fresh: Fresh) -> None:
        """It is amended."""
        pushing.work.commit({"other.txt": b"other\n"}, "other")
        pushing.work.commit({"app.cfg": b"host = here\ntoken = " + fresh() + b"\n"}, "settings\n\nat length\n")
        assert remove(pushing.push().said) == [
            "take it out of app.cfg, then", "git commit --amend --no-edit -- app.cfg"
        ]  # fmt: skip
        assert_goes_on(pushing, fresh.drawn)

    def test_in_an_older_commit(self, pushing: Pushing, fresh: Fresh) -> None:
        """A fix-up goes into it."""
        pushing.work.commit({"other.txt": b"other\n"}, "other")
        brought = pushing.work.commit({"app.cfg": b"host = here\ntoken = " + fresh() + b"\n"}, "settings")
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        pushing.work.commit({"other.txt": b"others\n"}, "others")
        assert remove(pushing.push().said) == [
            "take it out of app.cfg, then",
            f"git commit --fixup={brought.id[:12]} -- app.cfg",
            f"git -c sequence.editor=: rebase -i --autostash --autosquash {brought.id[:12]}~1",
        ]
        assert_goes_on(pushing, fresh.drawn)

    def test_in_two_commits_and_two_files(self, pushing: Pushing, fresh: Fresh) -> None:
        """Each gets a fix-up."""
        first = pushing.work.commit({"app.cfg": b"host = here\ntoken = " + fresh() + b"\n"}, "first")
        second = pushing.work.commit({"b/other.cfg": b"token = " + fresh() + b"\nport = 1\n"}, "second")
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        steps = remove(pushing.push().said)
        assert steps[0] in (
            "take them out of app.cfg, b/other.cfg, then",
            "take them out of b/other.cfg, app.cfg, then",
        )
        assert steps[1:] == [
            f"git commit --fixup={first.id[:12]} -- app.cfg",
            f"git commit --fixup={second.id[:12]} -- b/other.cfg",
            f"git -c sequence.editor=: rebase -i --autostash --autosquash {first.id[:12]}~1",
        ]
        assert_goes_on(pushing, fresh.drawn)

    def test_in_the_first_commit_of_all(self, tmp_path: Path, fresh: Fresh) -> None:
        """The rebase begins at the root."""
        pushing = Pushing.create(tmp_path, first=False)
        brought = pushing.work.commit({"app.cfg": b"host = here\ntoken = " + fresh() + b"\n"}, "first")
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        assert remove(pushing.push("origin", "main").said) == [
            "take it out of app.cfg, then",
            f"git commit --fixup={brought.id[:12]} -- app.cfg",
            "git -c sequence.editor=: rebase -i --autostash --autosquash --root",
        ]
        assert_goes_on(pushing, fresh.drawn, "origin", "main")

    def test_in_the_only_commit(self, tmp_path: Path, fresh: Fresh) -> None:
        """It is amended though it has no parent."""
        pushing = Pushing.create(tmp_path, first=False)
        pushing.work.commit({"app.cfg": b"host = here\ntoken = " + fresh() + b"\n"}, "first")
        assert_goes_on(pushing, fresh.drawn, "origin", "main")

    def test_added_and_removed_again(self, pushing: Pushing, fresh: Fresh) -> None:
        """The rebase stops where it was added; where it was removed nothing is left to do, and that commit goes."""
        brought = pushing.work.commit({"app.cfg": b"host = here\ntoken = " + fresh() + b"\n"}, "settings")
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        pushing.work.commit({"app.cfg": b"host = here\n"}, "oops")
        pushing.work.commit({"more.txt": b"much more\n"}, "much more")
        assert remove(pushing.push().said) == [
            f"git rebase -i --autostash --empty=drop {brought.id[:12]}~1",
            f"in the list that opens write `edit` for `pick` before {brought.id[:12]}",
            "where git stops, take it out of app.cfg, then",
            "git commit --all --amend --no-edit --allow-empty && git rebase --continue",
            "after a conflict take it out there, too, then",
            "git add --update && git rebase --continue",
        ]
        assert_goes_on(pushing, fresh.drawn, gone=[b"oops\n"])

    def test_removed_from_git_and_kept_on_disk(self, pushing: Pushing, fresh: Fresh) -> None:
        """Git would overwrite an ignored file without a word, and then delete it: it is moved away first."""
        kept = b"token = " + fresh() + b"\nmine = changed since\n"
        pushing.work.commit({".gitignore": b".env\n"}, "ignore")
        pushing.work.write({".env": b"token = " + fresh.drawn[0] + b"\n"})
        pushing.work.git("add", "--force", ".env")
        brought = pushing.work.commit({"a.txt": b"a\n"}, "settings")
        pushing.work.git("rm", "--quiet", "--cached", ".env")
        pushing.work.commit({"b.txt": b"b\n", ".env": kept}, "not in git")
        assert remove(pushing.push().said)[:2] == [
            "first move .env to somewhere else: git would overwrite it",
            f"git rebase -i --autostash --empty=drop {brought.id[:12]}~1",
        ]
        assert_goes_on(pushing, fresh.drawn)
        assert (pushing.work.path / ".env").read_bytes() == kept

    def test_a_file_of_its_own_is_deleted(self, pushing: Pushing, fresh: Fresh) -> None:
        """Where its commit would be empty then, git says what to do, and that leads on."""
        pushing.work.commit({"key.txt": fresh() + b"\n"}, "key")
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        _, fixup, rebase = remove(pushing.push().said)
        (pushing.work.path / "key.txt").unlink()
        assert pushing.bash(fixup).returncode == 0
        stopped = pushing.bash(rebase)
        assert 'remove the commit entirely with "git reset HEAD^"' in stopped.stderr
        assert pushing.bash("git reset HEAD^ && git rebase --continue").returncode == 0
        assert pushing.push().code == 0
        assert not pushing.published(fresh.drawn[0])
        assert pushing.work.git("log", "--format=%s") == "more\nstart"

    def test_a_neighbouring_line_was_changed_later(self, pushing: Pushing, fresh: Fresh) -> None:
        """Git finds conflicts, and what the page says of them leads on."""
        token = b"token = " + fresh() + b"\n"
        brought = pushing.work.commit({"app.cfg": b"port = 1\n" + token + b"host = here\n"}, "settings")
        pushing.work.commit({"app.cfg": b"port = 2\n" + token + b"host = there\n", "b.txt": b"b\n"}, "another port")
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        assert remove(pushing.push().said) == [
            "take it out of app.cfg, then",
            f"git commit --fixup={brought.id[:12]} -- app.cfg",
            f"git -c sequence.editor=: rebase -i --autostash --autosquash {brought.id[:12]}~1",
            "after a conflict take it out there, too, then",
            "git add --update && git rebase --continue",
        ]
        assert assert_goes_on(pushing, fresh.drawn).conflicts == 2

    def test_two_commits_brought_one_each_into_a_file(self, pushing: Pushing, fresh: Fresh) -> None:
        """A fix-up could not tell them apart: the rebase stops at both."""
        one, two = fresh(), fresh()
        first = pushing.work.commit({"app.cfg": b"a = " + one + b"\n"}, "first")
        second = pushing.work.commit({"app.cfg": b"a = " + one + b"\nb = 1\nc = " + two + b"\n"}, "second")
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        assert remove(pushing.push().said)[:3] == [
            f"git rebase -i --autostash --empty=drop {first.id[:12]}~1",
            f"in the list that opens write `edit` for `pick` before {first.id[:12]}, {second.id[:12]}",
            "where git stops, take them out of app.cfg, then",
        ]
        assert_goes_on(pushing, fresh.drawn)

    def test_in_many_commits(self, pushing: Pushing, fresh: Fresh) -> None:
        """The rebase stops at the first of them; another push names the others."""
        made = [pushing.work.commit({f"{n}.cfg": b"a\ntoken = " + fresh() + b"\n"}, f"{n}") for n in range(8)]
        steps = remove(pushing.push().said)
        names = ", ".join(commit.id[:12] for commit in made[:6])
        assert steps[1] == f"in the list that opens write `edit` for `pick` before {names}"
        assert steps[4] == "2 more commits have some: push again to see them"
        assert_goes_on(pushing, fresh.drawn, rounds=2)

    def test_in_many_files_of_a_commit(self, pushing: Pushing, fresh: Fresh) -> None:
        """The names would fill the screen: what was changed is meant as a whole."""
        files = {f"settings/of/the/service/{n}.cfg": b"a\ntoken = " + fresh() + b"\n" for n in range(8)}
        pushing.work.commit(files, "settings")
        assert remove(pushing.push().said)[1] == "git commit --amend --no-edit --all"
        assert_goes_on(pushing, fresh.drawn)

    def test_moved_by_a_later_commit(self, pushing: Pushing, fresh: Fresh) -> None:
        """Of the file at its old place the work tree has nothing any more."""
        pushing.work.commit({"old.cfg": b"one\ntwo\nthree\ntoken = " + fresh() + b"\nfour\nfive\n"}, "settings")
        (pushing.work.path / "old.cfg").rename(pushing.work.path / "new.cfg")
        pushing.work.commit({}, "moved")
        assert_goes_on(pushing, fresh.drawn)

    def test_other_changes_lie_about(self, pushing: Pushing, fresh: Fresh) -> None:
        """What is staged, changed and new stays what it was."""
        pushing.work.commit({"app.cfg": b"host = here\ntoken = " + fresh() + b"\n", "a.txt": b"a\n"}, "settings")
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        pushing.work.write({"a.txt": b"staged\n", "new.txt": b"new\n"})
        pushing.work.git("add", "a.txt")
        pushing.work.write({"more.txt": b"changed\n"})
        assert_goes_on(pushing, fresh.drawn)
        assert pushing.work.git("status", "--porcelain").split("\n") == ["M a.txt", " M more.txt", "?? new.txt"]

    @pytest.mark.parametrize("under", [False, True], ids=["at the top", "from a folder below"])
    @pytest.mark.parametrize(
        "name", ['it\'s "quoted" $(touch evil)', "-new\nline\x1b[2J\r", "right\u202eto*left"], ids=ascii
    )
    def test_odd_names(self, pushing: Pushing, fresh: Fresh, name: str, under: bool) -> None:
        """A shell takes each name as it is; a terminal gets no characters that act on it."""
        folder = pushing.work.path / "below" if under else pushing.work.path
        pushing.work.commit({name: b"a\ntoken = " + fresh() + b"\n", "below/a": b"a\n"}, "settings")
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        stopped = pushing.push(folder=folder)
        assert stopped.code == 1
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", stopped.said)
        User(pushing, fresh.drawn).takes_it_out()
        for step in remove(stopped.said)[1:]:
            done = pushing.bash(step, folder=folder)
            assert done.returncode == 0, (step, done.stderr)
        assert pushing.push().code == 0
        assert not pushing.published(fresh.drawn[0])
        assert not list(pushing.work.path.rglob("evil*"))


@pytest.mark.parametrize("below", [False, True], ids=["at the top", "from a folder below"])
@pytest.mark.parametrize(
    "name",
    [
        b"with blanks in.cfg",
        b'it\'s "quoted".cfg',
        b"-dashed.cfg",
        b"--all",
        b"$(touch evil) `touch evil` ;touch evil.cfg",
        b"new\nline.cfg",
        b"esc\x1b[2Jape\r\x07'.cfg",
        "right\u202eto\u2066left.cfg".encode(),
        b"latin\xe9\xff.cfg",
        "ünï→☃.cfg".encode(),
        b"*.cfg",
        b"a[bc]?.cfg",
        b"back\\slash.cfg",
        b":colon.cfg",
        b":(top)magic.cfg",
        b":(top)*.cfg",
        b"!bang",
        b"^caret",
        b"#hash",
        b"~tilde",
        b"a" * 200 + b".cfg",
        "a/ghp_abcd…[masked]".encode(),
        "a/[x]*/ghp_abcd…[masked].cfg".encode(),
    ],
    ids=ascii,
)
def test_names_mean_one_file_to_a_shell_and_to_git(repo: GitRepository, name: bytes, below: bool) -> None:
    """And no other, whatever stands in them; of a masked name, what it can be."""
    real = name.replace("…[masked]".encode(), b"EFGH")
    for path in (real, b"below/x", b"other.cfg", b"abx.cfg", b"a/ghp_other"):
        os.makedirs(os.path.dirname(bytes(repo.path) + b"/" + path), exist_ok=True)
        with open(bytes(repo.path) + b"/" + path, "wb") as file:
            file.write(b"content\n")
    command = f"git add -- {pathspecs([name], below=below)}".encode("utf-8", "surrogateescape")
    folder = repo.path / "below" if below else repo.path
    subprocess.run(["bash", "-c", command], cwd=folder, check=True, stdin=subprocess.DEVNULL)
    assert repo.run("ls-files", "-z") == b"".join(sorted([real + b"\0", b"start.txt\0"]))


class TestMessages:
    """A secret in a message."""

    def test_of_the_last_commit(self, pushing: Pushing, fresh: Fresh) -> None:
        """It is amended."""
        pushing.work.commit({"a.txt": b"a\n"}, f"with {fresh().decode()} in it")
        assert remove(pushing.push().said) == ["git commit --amend"]
        assert_goes_on(pushing, fresh.drawn)

    def test_of_an_older_commit(self, pushing: Pushing, fresh: Fresh) -> None:
        """The rebase opens it."""
        brought = pushing.work.commit({"a.txt": b"a\n"}, f"with\n\n{fresh().decode()} in it\n")
        pushing.work.commit({"b.txt": b"b\n"}, "more")
        assert remove(pushing.push().said) == [
            f"git rebase -i --autostash --empty=drop {brought.id[:12]}~1",
            f"in the list that opens write `reword` for `pick` before {brought.id[:12]}",
        ]
        assert_goes_on(pushing, fresh.drawn)

    def test_of_a_commit_and_in_its_files(self, pushing: Pushing, fresh: Fresh) -> None:
        """Both are amended."""
        secret = fresh()
        pushing.work.commit({"app.cfg": b"a\ntoken = " + secret + b"\n"}, f"with {secret.decode()} in it")
        assert remove(pushing.push().said) == [
            "git commit --amend", "take it out of app.cfg, then", "git commit --amend --no-edit -- app.cfg"
        ]  # fmt: skip
        assert_goes_on(pushing, fresh.drawn)

    def test_of_an_older_commit_and_in_its_files(self, pushing: Pushing, fresh: Fresh) -> None:
        """The rebase stops, and the amend opens the message."""
        secret = fresh()
        pushing.work.commit({"app.cfg": b"a\ntoken = " + secret + b"\n"}, f"with {secret.decode()} in it")
        pushing.work.commit({"b.txt": b"b\n"}, "more")
        assert remove(pushing.push().said)[2:4] == [
            "where git stops, take it out of app.cfg and the message, then",
            "git commit --all --amend --allow-empty && git rebase --continue",
        ]
        assert_goes_on(pushing, fresh.drawn)

    def test_of_commits_and_in_files_of_others(self, pushing: Pushing, fresh: Fresh) -> None:
        """Each commit has its word in the list."""
        told = pushing.work.commit({"a.txt": b"a\n"}, f"with {fresh().decode()} in it")
        held = pushing.work.commit({"app.cfg": b"a\ntoken = " + fresh() + b"\n"}, "settings")
        pushing.work.commit({"b.txt": b"b\n"}, "more")
        assert remove(pushing.push().said)[1] == (
            f"in the list that opens write `reword` for `pick` before {told.id[:12]}; "
            f"`edit` for `pick` before {held.id[:12]}"
        )
        assert_goes_on(pushing, fresh.drawn)

    def test_of_a_tag(self, pushing: Pushing, fresh: Fresh) -> None:
        """It is made again, and its old message is there to be edited."""
        pushing.work.commit({"a.txt": b"a\n"}, "work")
        pushing.work.git("tag", "--annotate", "v1", "-m", f"first\n\nwith {fresh().decode()} in it")
        assert remove(pushing.push("origin", "main", "v1").said) == ["git tag --force --annotate v1 'v1^{}'"]
        assert_goes_on(pushing, fresh.drawn, "origin", "main", "v1")
        assert pushing.remote.git("for-each-ref", "--format=%(refname) %(contents)") == (
            "refs/heads/main work\n\nrefs/tags/v1 first\n\nwith  in it"
        )

    def test_of_a_tag_and_in_a_file_of_its_commit(self, pushing: Pushing, fresh: Fresh) -> None:
        """The commit is amended, and the tag made again on the new one."""
        secret = fresh()
        pushing.work.commit({"app.cfg": b"a\ntoken = " + secret + b"\n"}, "work")
        pushing.work.git("tag", "--annotate", "v1", "-m", f"with {secret.decode()} in it")
        assert remove(pushing.push("origin", "main", "v1").said) == [
            "git tag --force --annotate v1 'v1^{}'",
            "take it out of app.cfg, then",
            "git commit --amend --no-edit -- app.cfg",
            "git tag --force --annotate v1 HEAD",
        ]
        assert_goes_on(pushing, fresh.drawn, "origin", "main", "v1")


class TestMerges:
    """Where history is not a line."""

    def diverged(self, pushing: Pushing, ours: dict[str, bytes], theirs: dict[str, bytes]) -> None:
        """A branch `topic` beside `main`."""
        pushing.work.git("switch", "--quiet", "--create", "topic")
        pushing.work.commit(theirs, "topic")
        pushing.work.git("switch", "--quiet", "main")
        pushing.work.commit(ours, "ours")

    def test_brought_by_a_merge_itself(self, pushing: Pushing, fresh: Fresh) -> None:
        """Neither side had it: a fix-up goes into the merge."""
        self.diverged(pushing, {"a.txt": b"a\n"}, {"b.txt": b"b\n"})
        pushing.work.git("merge", "--quiet", "--no-commit", "topic")
        merge = pushing.work.commit({"app.cfg": b"host = here\ntoken = " + fresh() + b"\n"}, "merged")
        pushing.work.commit({"c.txt": b"c\n"}, "more")
        name = merge.id[:12]
        assert remove(pushing.push().said) == [
            "take it out of app.cfg, then",
            f"git commit --fixup={name} -- app.cfg",
            f"git -c sequence.editor=: rebase -i --rebase-merges --autostash --autosquash {name}~1",
            "after a conflict take it out there, too, then",
            "git add --update && git rebase --continue",
            "merges are made anew: see that `git diff @{1}` shows nothing but that",
        ]
        assert_goes_on(pushing, fresh.drawn)
        assert pushing.bash("git diff @{1}").stdout == ""

    def test_brought_by_a_merge_and_removed_again(self, pushing: Pushing, fresh: Fresh) -> None:
        """A rebase does not pick a merge: it stops below its line."""
        self.diverged(pushing, {"a.txt": b"a\n"}, {"b.txt": b"b\n"})
        pushing.work.git("merge", "--quiet", "--no-commit", "topic")
        merge = pushing.work.commit({"app.cfg": b"host = here\ntoken = " + fresh() + b"\n"}, "merged")
        pushing.work.commit({"app.cfg": b"host = here\n"}, "oops")
        pushing.work.commit({"c.txt": b"c\n"}, "more")
        assert remove(pushing.push().said)[1] == (
            f"in the list that opens write a line `break` below {merge.id[:12]}"
        )  # fmt: skip
        assert_goes_on(pushing, fresh.drawn, gone=[b"oops\n"])

    def test_in_the_message_of_a_merge(self, pushing: Pushing, fresh: Fresh) -> None:
        """There too it stops, and the amend opens the message."""
        self.diverged(pushing, {"a.txt": b"a\n"}, {"b.txt": b"b\n"})
        pushing.work.git("merge", "--quiet", "topic", "-m", f"merged with {fresh().decode()} in it")
        pushing.work.made("HEAD")
        pushing.work.commit({"c.txt": b"c\n"}, "more")
        assert remove(pushing.push().said)[2:4] == [
            "where git stops, take it out of the message, then",
            "git commit --all --amend --allow-empty && git rebase --continue",
        ]
        assert_goes_on(pushing, fresh.drawn)

    @pytest.mark.parametrize("side", ["ours", "theirs"])
    def test_a_merge_comes_after_it(self, pushing: Pushing, fresh: Fresh, side: str) -> None:
        """It is made anew; what stands on its other side stays."""
        held = {"app.cfg": b"host = here\ntoken = " + fresh() + b"\n"}
        self.diverged(pushing, held if side == "ours" else {"a.txt": b"a\n"}, held if side == "theirs" else {"b": b"b"})
        pushing.work.git("merge", "--quiet", "topic", "-m", "merged")
        pushing.work.made("HEAD")
        pushing.work.commit({"c.txt": b"c\n"}, "more")
        assert_goes_on(pushing, fresh.drawn)
        assert pushing.bash("git diff @{1}").stdout == ""

    def test_a_merge_with_conflicts_comes_after_it(self, pushing: Pushing, fresh: Fresh) -> None:
        """They come again, and are told apart by who knows them; the rest goes on by itself."""
        pushing.work.commit({"shared.txt": b"one\n"}, "shared")
        held = pushing.work.commit({"app.cfg": b"host = here\ntoken = " + fresh() + b"\n"}, "settings")
        self.diverged(pushing, {"shared.txt": b"ours\n"}, {"shared.txt": b"theirs\n"})
        assert pushing.bash("git merge topic").returncode == 1
        pushing.work.commit({"shared.txt": b"theirs\n"}, "merged")
        steps = remove(pushing.push().said)
        assert steps[2].endswith(f"{held.id[:12]}~1")
        assert_goes_on(pushing, fresh.drawn)

    def test_what_a_merge_changed_of_its_own_is_seen_where_the_page_says_so(
        self, pushing: Pushing, fresh: Fresh
    ) -> None:
        """Git does not make that anew."""
        pushing.work.commit({"app.cfg": b"host = here\ntoken = " + fresh() + b"\n"}, "settings")
        self.diverged(pushing, {"a.txt": b"a\n"}, {"b.txt": b"b\n"})
        pushing.work.git("merge", "--quiet", "--no-commit", "topic")
        pushing.work.commit({"own.txt": b"of the merge\n"}, "merged")
        page = pushing.push().said
        assert remove(page)[-1] == "merges are made anew: see that `git diff @{1}` shows nothing but that"
        User(pushing, fresh.drawn).goes_on(page)
        assert pushing.bash("git diff --name-status @{1}").stdout == "D\town.txt\n"


@pytest.mark.long
class TestRefs:
    """What is pushed, and what is checked out."""

    SETTINGS = b"host = here\ntoken = %b\n"

    def test_a_branch_that_is_not_checked_out(self, pushing: Pushing, fresh: Fresh) -> None:
        """It is switched to first."""
        pushing.work.git("switch", "--quiet", "--create", "it's-a/topic")
        brought = pushing.work.commit({"app.cfg": self.SETTINGS % fresh()}, "settings")
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        pushing.work.git("switch", "--quiet", "main")
        pushing.work.write({"start.txt": b"changed\n"})
        steps = remove(pushing.push("origin", "it's-a/topic").said)
        assert steps[:3] == [
            "git switch 'it'\"'\"'s-a/topic'",
            "take it out of app.cfg, then",
            f"git commit --fixup={brought.id[:12]} -- app.cfg",
        ]
        assert_goes_on(pushing, fresh.drawn, "origin", "it's-a/topic", names=["it's-a/topic", "main"])
        assert pushing.work.git("status", "--porcelain") == "M start.txt"

    def test_the_last_commit_of_a_branch_that_is_not_checked_out(self, pushing: Pushing, fresh: Fresh) -> None:
        """It is amended, once it is checked out."""
        pushing.work.git("switch", "--quiet", "--create", "topic")
        pushing.work.commit({"app.cfg": self.SETTINGS % fresh()}, "settings")
        pushing.work.git("switch", "--quiet", "main")
        assert remove(pushing.push("origin", "topic").said) == [
            "git switch topic", "take it out of app.cfg, then", "git commit --amend --no-edit -- app.cfg"
        ]  # fmt: skip
        assert_goes_on(pushing, fresh.drawn, "origin", "topic", names=["topic"])

    def test_a_branch_beside_the_one_that_is_checked_out(self, pushing: Pushing, fresh: Fresh) -> None:
        """Both name the same commit: to amend it on the one would not change the other."""
        pushing.work.commit({"app.cfg": self.SETTINGS % fresh()}, "settings")
        pushing.work.git("branch", "topic")
        assert remove(pushing.push("origin", "topic").said)[0] == "git switch topic"
        assert_goes_on(pushing, fresh.drawn, "origin", "topic", names=["topic"])

    def test_a_removed_secret_that_another_branch_still_has(self, pushing: Pushing, fresh: Fresh) -> None:
        """It stands at the head of a branch, but not of the one that is pushed."""
        pushing.work.commit({"app.cfg": self.SETTINGS % fresh()}, "settings")
        pushing.work.git("branch", "old")
        pushing.work.commit({"app.cfg": b"host = here\n"}, "oops")
        assert remove(pushing.push("origin", "main").said)[0].startswith("git rebase -i --autostash --empty=drop ")
        assert_goes_on(pushing, fresh.drawn, "origin", "main", gone=[b"oops\n"])

    def test_branches_that_build_on_each_other(self, pushing: Pushing, fresh: Fresh) -> None:
        """One rebase takes both along."""
        brought = pushing.work.commit({"app.cfg": self.SETTINGS % fresh()}, "settings")
        pushing.work.git("branch", "lower")
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        assert remove(pushing.push("origin", "main", "lower").said)[2] == (
            f"git -c sequence.editor=: rebase -i --update-refs --autostash --autosquash {brought.id[:12]}~1"
        )
        assert_goes_on(pushing, fresh.drawn, "origin", "main", "lower", names=["main", "lower"])
        assert pushing.work.git("merge-base", "main", "lower") == pushing.work.git("rev-parse", "lower")

    def test_branches_apart(self, pushing: Pushing, fresh: Fresh) -> None:
        """One after the other: another push says how."""
        pushing.work.git("branch", "topic")
        pushing.work.commit({"app.cfg": self.SETTINGS % fresh()}, "settings")
        pushing.work.git("switch", "--quiet", "topic")
        pushing.work.commit({"other.cfg": self.SETTINGS % fresh()}, "other settings")
        pushing.work.git("switch", "--quiet", "main")
        assert remove(pushing.push("origin", "main", "topic").said)[-1] == "then the same on topic"
        assert_goes_on(pushing, fresh.drawn, "origin", "main", "topic", names=["main", "topic"], rounds=2)

    @pytest.mark.parametrize("kind", ["lightweight", "annotated"])
    def test_a_tag_on_the_commit(self, pushing: Pushing, fresh: Fresh, kind: str) -> None:
        """It goes along."""
        pushing.work.commit({"app.cfg": self.SETTINGS % fresh()}, "settings")
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        annotate = ["--annotate", "-m", "first"] if kind == "annotated" else []
        pushing.work.git("tag", *annotate, "v1")
        word = " --annotate" if annotate else ""
        assert remove(pushing.push("origin", "main", "v1").said)[-1] == f"git tag --force{word} v1 HEAD"
        assert_goes_on(pushing, fresh.drawn, "origin", "main", "v1")
        assert pushing.work.git("rev-parse", "v1^{commit}") == pushing.work.git("rev-parse", "main")

    def test_a_tag_on_an_older_commit(self, pushing: Pushing, fresh: Fresh) -> None:
        """Which commit it is to be on now, its owner sees."""
        pushing.work.commit({"app.cfg": self.SETTINGS % fresh()}, "settings")
        pushing.work.git("tag", "v1")
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        steps = remove(pushing.push("origin", "main", "v1").said)
        assert steps[-1] == "git tag --force v1 COMMIT"
        User(pushing, fresh.drawn).takes_it_out()
        for step in [*steps[1:-1], steps[-1].replace("COMMIT", "HEAD~1")]:
            assert pushing.bash(step).returncode == 0
        assert pushing.push("origin", "main", "v1").code == 0
        assert not pushing.published(fresh.drawn[0])

    def test_a_tag_that_no_branch_leads_to(self, pushing: Pushing, fresh: Fresh) -> None:
        """What it names is checked out, changed, and named again."""
        pushing.work.git("switch", "--quiet", "--detach")
        pushing.work.commit({"app.cfg": self.SETTINGS % fresh()}, "settings")
        pushing.work.git("tag", "v1")
        pushing.work.git("switch", "--quiet", "main")
        assert remove(pushing.push("origin", "v1").said) == [
            "git switch --detach v1",
            "take it out of app.cfg, then",
            "git commit --amend --no-edit -- app.cfg",
            "git tag --force v1 HEAD",
        ]
        assert_goes_on(pushing, fresh.drawn, "origin", "v1", names=["v1"])

    def test_a_tag_of_a_file(self, pushing: Pushing, fresh: Fresh) -> None:
        """Such a tag can but go."""
        name = pushing.work.git("hash-object", "-w", "--stdin", stdin=b"token = " + fresh() + b"\n")
        pushing.work.git("tag", "v1", name)
        assert remove(pushing.push("origin", "v1").said) == ["git tag --delete v1"]
        assert pushing.bash("git tag --delete v1").returncode == 0
        assert pushing.push().code == 0

    def test_a_commit_that_is_checked_out(self, pushing: Pushing, fresh: Fresh) -> None:
        """Without a branch it is the same."""
        pushing.work.git("switch", "--quiet", "--detach")
        pushing.work.commit({"app.cfg": self.SETTINGS % fresh()}, "settings")
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        assert_goes_on(pushing, fresh.drawn, "origin", "HEAD:refs/heads/topic")

    def test_a_part_of_what_is_checked_out(self, pushing: Pushing, fresh: Fresh) -> None:
        """Commits behind what is pushed go along, merges among them."""
        brought = pushing.work.commit({"app.cfg": self.SETTINGS % fresh()}, "settings")
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        pushing.work.git("switch", "--quiet", "--create", "topic")
        pushing.work.commit({"b.txt": b"b\n"}, "topic")
        pushing.work.git("switch", "--quiet", "main")
        pushing.work.git("merge", "--quiet", "--no-ff", "-m", "merged", "topic")
        assert remove(pushing.push("origin", "HEAD~1:main").said)[2] == (
            f"git -c sequence.editor=: rebase -i --rebase-merges --autostash --autosquash {brought.id[:12]}~1"
        )
        assert_goes_on(pushing, fresh.drawn, "origin", "HEAD~1:main")

    def test_a_rebase_is_under_way(self, pushing: Pushing, fresh: Fresh) -> None:
        """It is ended first."""
        pushing.work.commit({"app.cfg": self.SETTINGS % fresh()}, "settings")
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        pushing.bash("git rebase -i HEAD~1", GIT_SEQUENCE_EDITOR="sed -i s/^pick/edit/")
        stopped = pushing.push("origin", "main")
        assert remove(stopped.said)[0] == "first end the rebase that is under way: git rebase --continue, or --abort"
        assert pushing.bash("git rebase --abort").returncode == 0
        assert_goes_on(pushing, fresh.drawn)

    def test_no_work_tree(self, pushing: Pushing, tmp_path: Path, fresh: Fresh) -> None:
        """Nothing can be checked out there: it is said what has to be done."""
        brought = pushing.work.commit({"app.cfg": self.SETTINGS % fresh()}, "settings")
        bare = tmp_path / "bare.git"
        pushing.work.git("clone", "--quiet", "--bare", ".", str(bare))
        shutil.copy(pushing.work.path / ".git" / "hooks" / "pre-push", bare / "hooks" / "pre-push")
        stopped = pushing.push(str(pushing.remote.path), "main", folder=bare)
        assert remove(stopped.said) == [
            f"take what was found out of the commits that brought it ({brought.id[:12]}), and push again; a further "
            "commit that deletes it is not enough: the older ones would be published, too"
        ]


def height(page: str, width: int) -> int:
    """The lines that a terminal takes for it."""
    return sum(max(1, -(-len(line) // width)) for line in page.splitlines())


class TestPage:
    """The page as a whole."""

    def test_one_secret(self, pushing: Pushing, fresh: Fresh) -> None:
        """What, where, since when, why, and all that can be done."""
        secret = fresh()
        brought = pushing.work.commit({"app.cfg": b"host = here\ntoken = " + secret + b"\n"}, "settings")
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        name = brought.id[:12]
        assert (
            pushing.push().said
            == f"""\
oakum: the push to origin is stopped: it would publish 1 secret

 CRITICAL 95  GitHub personal access token (classic)  {mask(secret)}
  where  app.cfg:2:9, since commit {name} by Ada Lovelace <ada@example.test>
  why    base severity critical (type classic personal access token); format and offline check pass;
         at the head of the default branch
  id     {fingerprint(secret)}  github-pat

To go on:
  remove  take it out of app.cfg, then
            git commit --fixup={name} -- app.cfg
            git -c sequence.editor=: rebase -i --autostash --autosquash {name}~1
  rotate  if it ever left this machine, revoke it:
          {GITHUB}
  accept  oakum allow {fingerprint(secret)} --reason "why"
  skip    OAKUM_SKIP="why" git push   (this push alone; it is recorded)
"""
        )

    def test_eighty_columns(self, pushing: Pushing, fresh: Fresh) -> None:
        """Commands stay whole; what does not fit of others is told in fewer words."""
        files = {f"settings/{n:02}.cfg": b"a\ntoken = " + fresh() + b"\n" for n in range(50)}
        brought = pushing.work.commit(files, "settings")
        named = dict(zip(sorted(fingerprint(secret) for secret in fresh.drawn), range(50), strict=True))
        order = sorted(range(50), key=lambda n: named[fingerprint(fresh.drawn[n])])
        first = fresh.drawn[order[0]]
        lines = "".join(
            f" CRITICAL 95  settings/{n:02}.cfg:2:9  GitHub personal access token (classic)\n" for n in order[1:5]
        )
        assert (
            pushing.push(COLUMNS="80").said
            == f"""\
oakum: the push to origin is stopped: it would publish 50 secrets

 CRITICAL 95  GitHub personal access token (classic)  {mask(first)}
  where  settings/{order[0]:02}.cfg:2:9, since commit {brought.id[:12]} by Ada Lovelace
         <ada@example.test>
  why    base severity critical (type classic personal access token); format and
         offline check pass; at the head of the default branch
  id     {fingerprint(first)}  github-pat

{lines}  and 45 more: `oakum scan` shows them all

To go on:
  remove  take them out of settings/{order[0]:02}.cfg, settings/{order[1]:02}.cfg and 48 more, then
            git commit --amend --no-edit --all
  rotate  if it ever left this machine, revoke it:
          {GITHUB}
  accept  oakum allow {fingerprint(first)} --reason "why"
            (and so the other 49, by id or FILE:LINE)
  skip    OAKUM_SKIP="why" git push   (this push alone; it is recorded)
"""
        )

    def test_all_that_can_come_together(self, pushing: Pushing, fresh: Fresh) -> None:
        """Removed again, lying about, in several commits, merges after them: it fits still."""
        pushing.work.commit({".gitignore": b".env\n", ".env": b"a\n"}, "ignore")
        pushing.work.git("add", "--force", ".env")
        first = pushing.work.commit({".env": b"token = " + fresh() + b"\n"}, "first")
        pushing.work.git("switch", "--quiet", "--create", "topic")
        second = pushing.work.commit({"other.cfg": b"token = " + fresh() + b"\n"}, "second")
        pushing.work.git("switch", "--quiet", "main")
        third = pushing.work.commit({"a.txt": b"a\n"}, f"third, with {fresh().decode()} in it")
        pushing.work.git("merge", "--quiet", "-m", "merged", "topic")
        pushing.work.made("HEAD")
        pushing.work.git("rm", "--quiet", "--cached", ".env")
        pushing.work.commit({"b.txt": b"b\n"}, "not in git")
        said = pushing.push().said
        page = way(said, "remove")
        assert [step.text for step in page[:3]] == [
            "first move .env to somewhere else: git would overwrite it",
            f"git rebase -i --rebase-merges --autostash --empty=drop {first.id[:12]}~1",
            f"in the list that opens write `edit` for `pick` before {first.id[:12]}, {second.id[:12]}; "
            f"`reword` for `pick` before {third.id[:12]}",
        ]
        assert height(said, 100) <= 24
        assert_goes_on(pushing, fresh.drawn)

    @pytest.mark.parametrize("count", [1, *(pytest.param(n, marks=pytest.mark.long) for n in (3, 5, 6)), 50])
    @pytest.mark.parametrize("spread", ["a file", "files", "commits", "commits, removed again", "messages"])
    @pytest.mark.long
    def test_it_fits_on_a_screen(self, pushing: Pushing, fresh: Fresh, spread: str, count: int) -> None:
        """However many are found, and wherever."""
        lines = [b"token = " + fresh() + b"\n" for _ in range(count)]
        if spread == "a file":
            pushing.work.commit({"app.cfg": b"".join(lines)})
        elif spread == "files":
            pushing.work.commit({f"settings/{n}.cfg": line for n, line in enumerate(lines)})
        elif spread == "messages":
            for line in lines:
                pushing.work.commit({}, line.decode())
        else:
            for n, line in enumerate(lines):
                pushing.work.commit({f"settings/{n}.cfg": line})
        if "removed" in spread:
            pushing.work.remove("-r", "settings")
        else:
            pushing.work.commit({"more.txt": b"more\n"})
        said = pushing.push().said
        assert said.startswith(f"oakum: the push to origin is stopped: it would publish {count} secret")
        assert height(said, 100) <= 24, said
        narrow = pushing.push(COLUMNS="80").said
        assert height(narrow, 80) <= 27, narrow
        assert all(len(line) <= 80 or line.split()[0] in ("git", "https:") or "https://" in line
                   for line in narrow.splitlines())  # fmt: skip

    def test_colors_are_for_terminals(self, pushing: Pushing, fresh: Fresh) -> None:
        """The same page, with and without them."""
        pushing.work.commit({"app.cfg": b"token = " + fresh() + b"\n"}, "settings")
        done = pushing.bash("script --quiet --return --command 'stty cols 100; git push --quiet' /dev/null")
        colored = done.stdout.replace("\r\n", "\n")
        plain = re.sub("\x1b\\[[0-9;]*m", "", colored)
        assert plain.startswith(pushing.push().said)
        assert "\x1b[1;37;41m CRITICAL 95 \x1b[0m" in colored

    def test_no_value_stands_in_it(self, pushing: Pushing, fresh: Fresh) -> None:
        """Not where it is a file's or a folder's name, an author's name, or in a message."""
        secret = fresh()
        text = secret.decode()
        pushing.work.write({f"a/{text}/{text}.cfg": b"token = " + secret + b"\n", "plain.cfg": b"t = " + secret})
        pushing.work.git("add", "--all")
        pushing.work.git("commit", "--quiet", "-m", text, GIT_AUTHOR_NAME=f"Mallory {text}\u202e")
        pushing.work.commit({"more.txt": b"more\n"})
        stopped = pushing.push()
        assert stopped.code == 1
        assert text not in stopped.said
        assert "\u202e" not in stopped.said

    def test_a_file_that_has_it_in_its_name_is_changed_by_a_pattern(self, pushing: Pushing, fresh: Fresh) -> None:
        """The command works all the same."""
        secret = fresh()
        name = f"a/{secret.decode()}.cfg"
        pushing.work.commit({name: b"token = " + secret + b"\n", "other.cfg": b"b\n"}, "settings")
        (command,) = remove(pushing.push().said)[1:]
        assert command == f"git commit --amend --no-edit -- 'a/{mask(secret).removesuffix('…[masked]')}*.cfg'"
        pushing.work.write({"other.cfg": b"changed\n", name: b""})
        assert pushing.bash(command).returncode == 0
        assert pushing.work.git("status", "--porcelain") == "M other.cfg"
        assert pushing.push().code == 0

    def test_a_long_name_is_cut(self, pushing: Pushing, fresh: Fresh) -> None:
        """But not in commands."""
        name = "/".join(["folder" * 5] * 5) + "/app.cfg"
        pushing.work.commit({name: b"token = " + fresh() + b"\n"}, "settings")
        said = pushing.push().said
        assert remove(said) == [
            "take it out of folderfolderfolderfo…/folderfolderfolderfolderfolder/app.cfg, then",
            f"git commit --amend --no-edit -- {name}",
        ]
        assert said.count(name) == 1
        assert_goes_on(pushing, fresh.drawn)

    def test_the_password_of_a_url_is_left_out(self, pushing: Pushing, fresh: Fresh) -> None:
        """Git tells a hook the URL with it where a push names no remote."""
        pushing.work.commit({"app.cfg": b"token = " + fresh() + b"\n"}, "settings")
        password = fresh().decode()
        url = f"https://me:{password}@host.test/x.git"
        done = pushing.hook(remote=(url, url))
        assert done.returncode == 1
        assert done.stderr.startswith("oakum: the push to https://host.test/x.git is stopped: it would publish")
        assert password not in done.stderr


class TestOtherWays:
    """What can be done instead."""

    def test_each_secret_is_accepted_by_its_fingerprint(self, pushing: Pushing, fresh: Fresh) -> None:
        """Of two both are named."""
        pushing.work.commit({"app.cfg": b"a = " + fresh() + b"\nb = " + fresh() + b"\n"}, "settings")
        assert {step.text for step in way(pushing.push().said, "accept")} == {
            f'oakum allow {fingerprint(secret)} --reason "why"' for secret in fresh.drawn
        }

    def test_the_skip_lets_the_push_go_on(self, pushing: Pushing, fresh: Fresh) -> None:
        """It is the command as it stands."""
        pushing.work.commit({"app.cfg": b"a = " + fresh() + b"\n"}, "settings")
        (step,) = way(pushing.push().said, "skip")
        assert step.text == 'OAKUM_SKIP="why" git push'
        done = pushing.bash(step.text)
        assert done.returncode == 0
        assert done.stderr.startswith("oakum: skipped, nothing was searched: why\n")
        assert pushing.published(fresh.drawn[0])

    def test_each_kind_is_rotated_in_its_way(self, pushing: Pushing, fresh: Fresh) -> None:
        """Two of them are named."""
        pushing.work.commit({"app.cfg": b"a = " + fresh() + b"\nnpm = " + fresh("npm") + b"\n"}, "settings")
        assert [step.text for step in way(pushing.push().said, "rotate")] == [
            f"if it ever left this machine, revoke it (github-pat): {GITHUB}",
            "revoke it (npm-access-token): https://docs.npmjs.com/revoking-access-tokens",
        ]


def test_what_was_fetched_from_another_remote_is_not_to_be_rewritten_here(tmp_path: Path, fresh: Fresh) -> None:
    """As in a fork, whose upstream has the secret in public."""
    pushing = Pushing.create(tmp_path)
    upstream = GitRepository.create(tmp_path / "upstream")
    upstream.git("pull", "--quiet", str(pushing.remote.path), "main")
    upstream.commit({"app.env": b"TOKEN=" + fresh() + b"\n"})
    pushing.work.git("remote", "add", "upstream", "../upstream")
    pushing.work.git("fetch", "--quiet", "upstream")
    pushing.work.git("merge", "--quiet", "--no-edit", "upstream/main")
    done = pushing.push("origin", "main")
    assert done.code == 1
    told = "  remove  it came from upstream/main, which has it already: it is to be taken out there, not here\n"
    assert told in done.said
