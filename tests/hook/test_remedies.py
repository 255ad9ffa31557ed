"""The page that stops a push says how to go on: its commands are run here as they stand, with an editor's part played.

Whatever was done: the push passes then, the remote never held the secret, and no other work is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pushing import Pushing
from scanning import Fresh


@pytest.fixture
def pushing(tmp_path: Path) -> Pushing:
    """A repository with a remote."""
    return Pushing.create(tmp_path)


@dataclass(frozen=True)
class Step:
    """A line of a way to go on: what to do, or a command to run."""

    text: str
    command: bool


BEGINNING = re.compile(r"first |take |in the list |where |after |then |merges |and so |[0-9,]+ more commits")
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
    for commit in git.git("rev-list", "--topo-order", "--reverse", name, "--not", "--remotes").split():
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
        "name",
        [
            b"with blanks in.cfg",
            b'it\'s "quoted".cfg',
            b"-dashed.cfg",
            b"--all",
            b"$(touch evil) `touch evil` ;touch evil.cfg",
            b"new\nline.cfg",
            b"esc\x1b[2Jape\r\x07.cfg",
            "right\u202eto\u2066left.cfg".encode(),
            b"latin\xe9\xff.cfg",
            "ünï→☃.cfg".encode(),
            b"*.cfg",
            b"a[bc]?.cfg",
            b"back\\slash.cfg",
            b":colon.cfg",
            b":(top)magic.cfg",
            b"!bang",
            b"^caret",
            b"#hash",
            b"~tilde",
            b"a" * 200 + b".cfg",
        ],
        ids=ascii,
    )
    def test_odd_names(self, pushing: Pushing, fresh: Fresh, name: bytes, under: bool) -> None:
        """A shell and git take each name as that file and no other; a terminal gets no characters that act on it."""
        content = b"host = here\ntoken = " + fresh() + b"\n"
        (pushing.work.path / "below").mkdir()
        for path in (name, b"other.cfg", b"abx.cfg", b"below/x.cfg"):
            with open(bytes(pushing.work.path) + b"/" + path, "wb") as file:
                file.write(content if path == name else b"other\n")
        pushing.work.commit({}, "settings")
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        pushing.work.write({"other.cfg": b"changed\n"})
        folder = pushing.work.path / "below" if under else pushing.work.path
        stopped = pushing.push(folder=folder)
        assert stopped.code == 1
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", stopped.said)
        User(pushing, fresh.drawn).takes_it_out()
        for step in remove(stopped.said)[1:]:
            done = pushing.bash(step, folder=folder)
            assert done.returncode == 0, (step, done.stderr)
        assert pushing.push().code == 0
        assert not pushing.published(fresh.drawn[0])
        assert pushing.work.git("status", "--porcelain") == "M other.cfg"
        assert not list(pushing.work.path.rglob("evil*"))
