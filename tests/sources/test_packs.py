"""The packs read by ourselves: whatever the plain path finds, counts and reports is found, counted and reported."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import blobs
import laws
import pytest
from git_repository import GitRepository
from hypothesis import HealthCheck, given, settings
from made_packs import Copy, MadePack, bare
from made_versions import packs_of, recipes
from oakum.scanner.engine import vectorised
from oakum.scanner.sources import packs

ENGINES = [
    "aho-corasick",
    pytest.param("vector", marks=pytest.mark.skipif(not vectorised.available(), reason="needs the package hyperscan")),
]
SEARCHERS: dict[str, laws.Searcher] = {}


@pytest.fixture(params=ENGINES)
def searcher(request: pytest.FixtureRequest) -> laws.Searcher:
    """A searcher with each of the matchers, made once."""
    return SEARCHERS.get(request.param) or SEARCHERS.setdefault(request.param, laws.searcher(request.param))


def agrees(searcher: laws.Searcher, made: list[MadePack]) -> None:
    """Both paths tell the same of a repository with these packs."""
    with tempfile.TemporaryDirectory() as folder:
        path = bare(Path(folder) / "repo")
        for pack in made:
            pack.write(path)
        repository = laws.opened(path)
        assert laws.differences(laws.by_packs(searcher, repository), laws.plainly(searcher, repository)) == []


class TestTheLaw:
    """Of generated packs."""

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(recipe=recipes(most=16))
    @pytest.mark.long
    def test_both_paths_tell_the_same(self, searcher: laws.Searcher, recipe: tuple[int, int, int]) -> None:
        agrees(searcher, packs_of(*recipe))

    @pytest.mark.long
    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(recipe=recipes(most=60))
    def test_both_paths_tell_the_same_of_many(self, searcher: laws.Searcher, recipe: tuple[int, int, int]) -> None:
        agrees(searcher, packs_of(*recipe))


# --- one thing at a time ----------------------------------------------------------------------------------------------

DOTS = b"nothing to see\n" * 400


def drawn(seed: int, detector: str = "github-pat") -> bytes:
    """A fresh secret."""
    return blobs.draw(next(d for d in blobs.DETECTORS if d.id == detector), Random(seed))


def one(number: int) -> tuple[MadePack, bytes]:
    """A pack, and a secret for it."""
    return MadePack(), drawn(number)


def secrets(told: laws.Told) -> Counter[bytes]:
    """How often each secret of one kind was found."""
    return Counter(found[4] for found in told.found if found[1] == "github-pat")  # type: ignore[misc]


@pytest.fixture
def found(searcher: laws.Searcher, tmp_path: Path) -> Callable[..., Counter[bytes]]:
    """Searches a repository with these packs by both paths, which must agree, and gives the secrets."""

    def search(*made: MadePack) -> Counter[bytes]:
        path = bare(tmp_path / "repo")
        for pack in made:
            pack.write(path)
        told = laws.by_packs(searcher, laws.opened(path))
        assert laws.differences(told, laws.plainly(searcher, laws.opened(path))) == []
        return secrets(told)

    return search


Search = Callable[..., Counter[bytes]]


class TestSeams:
    """A secret and the seams of a delta."""

    def test_in_the_base_only(self, found: Search) -> None:
        pack, secret = one(1)
        base = pack.whole(DOTS + secret + b"\n" + DOTS)
        pack.delta(base, [Copy(0, len(DOTS)), Copy(len(DOTS) + len(secret) + 1, len(DOTS))])
        assert found(pack) == {secret: 1}

    def test_in_the_delta_only(self, found: Search) -> None:
        pack, secret = one(2)
        base = pack.whole(DOTS)
        pack.delta(base, [Copy(0, 30), secret, b"\n", Copy(30, 60)])
        assert found(pack) == {secret: 1}

    def test_cut_at_every_byte_and_put_together_again(self, found: Search) -> None:
        """A base has its halves apart; each of the versions joins them, of two copies or of a copy and an insertion."""
        pack, secret = one(3)
        for at in range(1, len(secret)):
            left, right = secret[:at], secret[at:]
            base = pack.whole(b"%d\n" % at + left + b"#" + DOTS + b"#" + right + b"\n")
            start, size = base.content.index(left), len(base.content)
            end = size - len(right) - 1
            pack.delta(base, [Copy(0, start + at), Copy(end, len(right) + 1)])
            pack.delta(base, [Copy(0, start + at), right + b"\n", Copy(start + at, 50)])
            pack.delta(base, [Copy(0, start), left, Copy(end, len(right) + 1), b"-"], by_name=True)
        assert found(pack) == {secret: 3 * (len(secret) - 1)}

    def test_at_the_first_and_the_last_byte(self, found: Search) -> None:
        """Of a base, of a version, and where either side goes on differently."""
        pack, secret = one(4)
        size = len(secret)
        base = pack.whole(secret)
        pack.delta(base, [Copy(0, size), b"x"])
        pack.delta(base, [b"x", Copy(0, size)])
        pack.delta(base, [b"\n", Copy(0, size), b"\n"])
        longer = pack.whole(b"=" + secret + b"x")
        pack.delta(longer, [Copy(1, size), b" "])
        pack.delta(longer, [Copy(0, size + 1)])
        pack.delta(longer, [b"y", Copy(1, size + 1)])
        assert found(pack) == {secret: 4}

    def test_beside_what_changes(self, found: Search) -> None:
        """A neighbour that look-behind or look-ahead sees comes, goes, and comes back in a further version."""
        pack, secret = one(5)
        base = pack.whole(DOTS + b"=" + secret + b"\n" + DOTS)
        at, end = len(DOTS) + 1, len(DOTS) + 1 + len(secret)
        rest = len(base.content) - end
        spoiled = pack.delta(base, [Copy(0, end), b"x", Copy(end, rest)])
        pack.delta(spoiled, [Copy(0, end), b" ", Copy(end + 1, rest)])
        spoiled = pack.delta(base, [Copy(0, at), b"x", Copy(at, len(base.content) - at)])
        pack.delta(spoiled, [Copy(0, at), Copy(at + 1, len(base.content) - at), b"end"])
        assert found(pack) == {secret: 3}

    def test_carried_through_many_versions(self, found: Search) -> None:
        """Fifty in a row, each at another offset, some in two copies that continue each other."""
        pack, secret = one(6)
        entry = pack.whole(DOTS + secret + b"\n" + DOTS)
        for number in range(50):
            size = len(entry.content)
            cut = entry.content.index(secret) + number % (len(secret) + 1)
            entry = pack.delta(
                entry, [b"%d\n" % number * (number % 3), Copy(0, cut), Copy(cut, size - cut), b"%d\n" % number]
            )
        assert found(pack) == {secret: 51}

    def test_split_and_joined_again(self, found: Search) -> None:
        pack, secret = one(7)
        base = pack.whole(DOTS + secret + b"\n")
        cut, size = len(DOTS) + 20, len(base.content)
        split = pack.delta(base, [Copy(0, cut), b" + ", Copy(cut, size - cut)])
        pack.delta(split, [Copy(0, cut), Copy(cut + 3, size - cut), b"joined\n"])
        assert found(pack) == {secret: 2}

    def test_a_test_that_fails_and_then_does_not(self, found: Search) -> None:
        """The value of the base fails the checksum; a version mends one byte of it, another one only moves it."""
        pack, secret = one(8)
        wrong = secret[:-1] + (b"A" if secret[-1:] != b"A" else b"B")
        base = pack.whole(DOTS + wrong + b"\n")
        at = len(DOTS) + len(secret) - 1
        mended = pack.delta(base, [Copy(0, at), secret[-1:], Copy(at + 1, 1)])
        moved = pack.delta(base, [b"moved\n", Copy(0, len(base.content))])
        pack.delta(moved, [Copy(0, at + 6), secret[-1:], Copy(at + 7, 1)])
        pack.delta(mended, [b"moved, too\n", Copy(0, len(base.content))])
        assert found(pack) == {secret: 3}

    def test_a_secret_as_far_as_its_widest_from_a_seam(self, found: Search) -> None:
        """Text before a secret grows byte by byte, so that a seam has every distance to it that matters."""
        pack, secret = one(9)
        base = pack.whole(b"#" * 300 + secret + b"#" * 300)
        for distance in range(1, 300):
            low, high = 300 - distance, 300 + len(secret) + distance
            pack.delta(base, [b"!", Copy(low, high - low), b"!"])
        assert found(pack) == {secret: 300}


class TestStores:
    """Where objects stand."""

    def test_an_object_in_several_packs_is_told_once(self, found: Search) -> None:
        """Whole in one, a delta in another, the base of others there."""
        first, secret = one(10)
        base = first.whole(DOTS + secret + b"\n")
        second = MadePack()
        other = second.whole(DOTS)
        again = second.delta(other, [Copy(0, len(DOTS)), secret + b"\n"])
        second.delta(again, [Copy(0, len(again.content)), b"more"])
        third = MadePack()
        third.whole(base.content)
        assert found(first, second, third) == {secret: 2}

    def test_loose_ones_beside_packs(self, searcher: laws.Searcher, repo: GitRepository) -> None:
        """Blobs, commits and tags, in a pack and out of it."""
        expected = []
        for number in range(4):
            blob, message = drawn(20 + number), drawn(40 + number)
            expected += [blob, message]
            repo.commit({f"{number}.txt": DOTS + blob + b"\n", "all.txt": DOTS * number}, f"see {message.decode()}")
            if number == 1:
                repo.git("repack", "-adq")
                repo.git("tag", "-a", "v1", "-m", f"with {drawn(60).decode()}")
        told = laws.by_packs(searcher, laws.opened(repo.path))
        assert told == laws.plainly(searcher, laws.opened(repo.path))
        assert secrets(told) == Counter([*expected, drawn(60)])
        repo.git("gc", "-q")
        assert laws.differences(laws.by_packs(searcher, laws.opened(repo.path)), told) == []

    @pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
    def test_either_kind_of_names(self, searcher: laws.Searcher, tmp_path: Path, algorithm: str) -> None:
        """By offset, by name, and loose."""
        path = bare(tmp_path / "repo", algorithm)
        pack, secret = MadePack(algorithm), drawn(11)
        base = pack.whole(DOTS)
        pack.delta(pack.delta(base, [Copy(0, 90), secret, b"\n"], by_name=True), [b"more ", Copy(0, 131)])
        pack.entries.reverse()
        pack.entries.sort(key=lambda entry: entry.kind == 6)
        pack.write(path)
        GitRepository(path).run("hash-object", "-w", "--stdin", stdin=b"loose " + secret)
        told = laws.by_packs(searcher, laws.opened(path))
        assert told == laws.plainly(searcher, laws.opened(path))
        assert secrets(told) == {secret: 3}
        assert told.counts == {"git blobs": 4}

    def test_what_borrows_objects_is_left_to_git(self, repo: GitRepository, tmp_path: Path) -> None:
        """A repository with alternates: what it names may lie elsewhere."""
        repo.git("clone", "-q", "--shared", str(repo.path), str(tmp_path / "borrower"))
        found = packs.open_packs(laws.opened(tmp_path / "borrower"), max_size=laws.MAX_SIZE)
        assert found == (None, "the repository borrows objects from another one")

    def test_a_shallow_clone(self, searcher: laws.Searcher, repo: GitRepository, tmp_path: Path) -> None:
        for number in range(3):
            repo.commit({"a.txt": DOTS + drawn(70 + number) + b"\n"}, f"commit {number}")
        repo.git("clone", "-q", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
        told = laws.by_packs(searcher, laws.opened(tmp_path / "shallow"))
        assert told == laws.plainly(searcher, laws.opened(tmp_path / "shallow"))
        assert secrets(told) == {drawn(72): 1}

    def test_nothing_at_all(self, searcher: laws.Searcher, tmp_path: Path) -> None:
        """No object, and a pack that has none."""
        path = bare(tmp_path / "repo")
        assert laws.by_packs(searcher, laws.opened(path)) == laws.plainly(searcher, laws.opened(path))
        MadePack().write(path, sound=False)
        assert laws.by_packs(searcher, laws.opened(path)) == laws.plainly(searcher, laws.opened(path))
