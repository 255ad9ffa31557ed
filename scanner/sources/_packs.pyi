from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence, Set

VERSION: int

class BrokenError(Exception): ...
class ElsewhereError(Exception): ...

class Pack:
    count: int
    id_length: int
    def __init__(self, pack: object, index: object, id_length: int) -> None: ...
    def __contains__(self, name: object) -> bool: ...
    def names(self, kind: int) -> bytes: ...
    def all_names(self) -> bytes: ...
    def broken(self) -> bytes: ...
    def circular(self) -> bytes: ...
    def roots(self, kind: int) -> Iterator[tuple[int, int]]: ...
    def family(self, root: int) -> bytes: ...
    def damaged(self, node: int) -> bool: ...

class Found:
    name: bytes
    content: bytes
    hints: list[tuple[int, int, int]]
    kept: object
    def learn(self, states: bytes | bytearray) -> list[int] | None: ...
    def keep(self, clusters: Sequence[tuple[int, int]] | None, kept: object) -> None: ...

class Walk:
    searched: int
    failed: list[int]
    large: list[tuple[bytes, int]]
    def __init__(
        self,
        pack: Pack,
        look: Callable[[bytes], Iterable[tuple[int, int]]],
        reach: int,
        before: array[int],
        behind: array[int],
        known: dict[bytes, int],
        *,
        most: int,
        hold: int,
        others: list[Pack],
    ) -> None: ...
    def tree(self, root: int) -> Iterator[tuple[int, int] | Found]: ...
    def flush(self) -> Iterator[tuple[int, int] | Found]: ...

class Trees:
    seen: int
    def __init__(
        self,
        packs: list[Pack],
        id_length: int,
        *,
        wanted: Set[bytes],
        loose: set[bytes] | None,
        most: int,
        cache: int,
    ) -> None: ...
    def changes(self, commit: bytes, parents: list[bytes] | None = None) -> list[tuple[bytes, bytes, bool]]: ...
