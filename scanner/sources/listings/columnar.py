"""Inventories in Apache Parquet and ORC (S3 Inventory, Azure blob inventory, GCS Storage Insights), read by pyarrow.

Both formats keep their index at the end (https://parquet.apache.org/docs/file-format/,
https://orc.apache.org/specification/ORCv1/): a file is read, not a stream, `BATCH` rows at a time, only the columns
that say something. Names of columns are read as in CSV (csv_columns.py); keys are as the store has them, not encoded.
Memory: some batches, and what the file's own writer put into one compressed page. A file that is damaged is read up to
the damage. pyarrow is an extra: `pip install oakum[columnar]`.
"""

from __future__ import annotations

import datetime
import functools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...model import NotScanned
from . import Read
from .csv_columns import is_table, roles_of
from .inventory import told
from .table import not_scanned

if TYPE_CHECKING:
    import pyarrow

BATCH = 16_384
"""Rows read at once."""
MISSING = "a listing in Parquet or ORC needs pyarrow; install it with: pip install 'oakum[columnar]'"
NO_STREAM = "a listing in Parquet or ORC is read from a file: what comes through a pipe has no end to begin at"
TITLE = "inventory in Parquet or ORC"
NO_TABLE = "it has no column with the names of objects: it is no inventory that is known here"
_MAGIC = {b"PAR1": "parquet", b"ORC": "orc"}


def is_columnar(head: bytes) -> bool:
    """Whether a file that begins so is Parquet or ORC."""
    return head.startswith(tuple(_MAGIC))


def read_columnar(path: bytes, container: bytes = b"") -> Iterator[Read]:
    """What an inventory says; `container` is its name as far as it is known without reading.

    Where pyarrow is not installed, that is told in its place.
    """
    try:
        import pyarrow
    except ImportError:
        yield NotScanned(path, MISSING)
        return
    counts: Counter[str] = Counter()
    try:
        for names, batch in _batches(path):
            roles = roles_of(names)
            columns = [_values(batch.column(n), roles[n]) for n in range(len(names))]
            yield from told(columns, roles, container, counts, url=False)
    except NotATableError:
        yield NotScanned(path, NO_TABLE)
    except (pyarrow.ArrowException, OSError, ValueError) as damage:
        yield NotScanned(path, f"it is damaged, and read up to there: {_first_line(damage)}")
    yield from not_scanned(container, counts)


class NotATableError(ValueError):
    """A file without the columns of an inventory."""


def _batches(path: bytes) -> Iterator[tuple[list[str], pyarrow.RecordBatch]]:
    """Batches of the columns that say something, and their names."""
    import pyarrow.dataset
    import pyarrow.parquet

    with open(path, "rb") as file:
        head = file.read(4)
        if head.startswith(b"PAR1"):
            table = pyarrow.parquet.ParquetFile(file, buffer_size=1 << 20)
            names = _chosen(table.schema_arrow.names)
            for batch in table.iter_batches(BATCH, columns=names, use_threads=False):
                yield batch.schema.names, batch
            return
    orc = pyarrow.dataset.dataset(path.decode("utf-8", "surrogateescape"), format="orc")
    scanner = orc.scanner(
        columns=_chosen(orc.schema.names), batch_size=BATCH, batch_readahead=1, fragment_readahead=1, use_threads=False
    )
    for batch in scanner.to_batches():
        yield batch.schema.names, batch


def _chosen(names: Sequence[str]) -> list[str]:
    """The columns that say something; raises NotATableError where they do not name objects."""
    if not is_table(names):
        raise NotATableError
    return [name for name, role in zip(names, roles_of(names), strict=True) if role]


def _values(column: pyarrow.Array, role: bytes) -> list[Any]:
    """A column as texts and numbers; one of another type as nothing, texts of users as `name=value` lines."""
    import pyarrow
    from pyarrow import types

    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if types.is_timestamp(kind):
        return [_date(day) for day in column.cast(pyarrow.date32(), safe=False).cast(pyarrow.int32()).to_pylist()]
    if types.is_date32(kind):
        return [_date(day) for day in column.cast(pyarrow.int32()).to_pylist()]
    if types.is_string(kind) or types.is_large_string(kind):
        column = column.cast(pyarrow.large_binary())
    if types.is_map(kind):
        pairs = [{str(k): str(v) for k, v in there} if there else {} for there in column.to_pylist()]
        return ["\n".join(f"{name}={value}" for name, value in there.items()) for there in pairs]
    if types.is_integer(kind) or types.is_boolean(kind) or types.is_floating(kind):
        return list(column.to_pylist())
    if types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind):
        return ["" if value is None else value.decode("utf-8", "surrogateescape") for value in column.to_pylist()]
    return [""] * len(column)


@functools.lru_cache(maxsize=1 << 16)
def _date(days: int | None) -> str:
    """The day that is so many days after the first of 1970; a text that is no date for those out of reach."""
    if days is None:
        return ""
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days)).isoformat() if 0 <= days < 47_482 else "?"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200] or type(error).__name__
