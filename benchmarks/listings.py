"""Ten million entries of made-up listings, half in the XML of S3 and half in that of Azure, read by `oakum listing`.

    python -m benchmarks.listings --dir BENCH_DIR [--entries 10000000] [--runs 3] [--oakum PATH]

Keys are sorted and lie in folders, as in a store's answer, a few hundred of them have names that tell of credentials;
the two files have about 3 GB and are made once. Prints entries a second, processor and wall time, peak memory, and the
time that `cat` takes for the same files.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

from .measure import Run, run

SEED = 7
_FOLDERS = (
    "backup data logs images users invoices reports export app web assets static prod dev media photos archive docs "
    "2019 2020 2021 2022 tmp build cache sessions events raw parquet customers orders thumbnails videos"
).split()
_ENDINGS = "jpg png json csv parquet log gz html css js pdf txt bin dat avro xml mp4 webp".split()
_TELLING = ("id_rsa", "prod.sql.gz", ".env", "passwords.xlsx", "terraform.tfstate", "vault.kdbx", "disk.vhdx")
_IN_A_FOLDER = (3, 20, 100, 400)
HEAD = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<Name>acme-data</Name><Prefix></Prefix><KeyCount>1000</KeyCount><MaxKeys>1000</MaxKeys>"
    b"<IsTruncated>false</IsTruncated>"
)
AZURE_HEAD = (
    b'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://acme.blob.core.windows.net/" '
    b'ContainerName="backups"><Blobs>'
)


def keys(random: Random, count: int) -> list[str]:
    """Sorted keys, most of them of no interest."""
    made: set[str] = set()
    while len(made) < count:
        folder = "/".join(random.choice(_FOLDERS) for _ in range(random.randint(1, 5)))
        ending = random.choice(_ENDINGS)
        if random.random() < 0.002:
            made.add(f"{folder}/{random.choice(_TELLING)}")
        for number in range(min(random.choice(_IN_A_FOLDER), count - len(made))):
            made.add(f"{folder}/{random.choice(_FOLDERS)}-{number:06d}-{random.getrandbits(32):08x}.{ending}")
    return sorted(made)


def s3(random: Random, count: int) -> Iterator[bytes]:
    """A listing as ListObjectsV2 answers, in one page."""
    yield HEAD
    for number, key in enumerate(keys(random, count)):
        yield (
            f"<Contents><Key>{key}</Key><LastModified>20{random.randint(10, 26)}-{random.randint(1, 12):02}-"
            f"{random.randint(1, 28):02}T09:{number % 60:02}:31.000Z</LastModified>"
            f"<ETag>&quot;{random.getrandbits(128):032x}&quot;</ETag><Size>{random.randint(0, 1 << 24)}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
        ).encode()
    yield b"</ListBucketResult>"


def azure(random: Random, count: int) -> Iterator[bytes]:
    """A listing as List Blobs answers, in one page."""
    yield AZURE_HEAD
    for number, key in enumerate(keys(random, count)):
        yield (
            f"<Blob><Name>{key}</Name><Properties><Last-Modified>Mon, {random.randint(1, 28):02} Jul "
            f"20{random.randint(10, 26)} 10:{number % 60:02}:00 GMT</Last-Modified>"
            f"<Etag>0x{random.getrandbits(60):015X}</Etag><Content-Length>{random.randint(0, 1 << 24)}</Content-Length>"
            "<Content-Type>application/octet-stream</Content-Type><Content-MD5 /><BlobType>BlockBlob</BlobType>"
            "<LeaseStatus>unlocked</LeaseStatus></Properties></Blob>"
        ).encode()
    yield b"</Blobs><NextMarker /></EnumerationResults>"


def make(folder: Path, count: int) -> list[Path]:
    """The two files, where they are not there yet."""
    files = []
    for name, listing in (("s3", s3), ("azure", azure)):
        file = folder / f"{name}-{count}.xml"
        if not file.exists():
            partly = file.with_suffix(".partly")
            with partly.open("wb", buffering=1 << 20) as out:
                out.writelines(listing(Random(SEED), count // 2))
            partly.rename(file)
        files.append(file)
    return files


def main() -> int:
    """Make, measure, print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--dir", type=Path, required=True, help="the bench folder, where the listings are kept")
    options.add_argument("--entries", type=int, default=10_000_000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--oakum", default=shutil.which("oakum") or ".venv/bin/oakum", help="the command to measure")
    given = options.parse_args()
    folder = given.dir / "listings"
    folder.mkdir(parents=True, exist_ok=True)
    files = make(folder, given.entries)
    size = sum(file.stat().st_size for file in files)
    print(f"{given.entries:,} entries, {size / 1e9:.2f} GB")
    commands = {
        "cat": ["cat", *map(str, files)],
        "oakum listing": [os.path.abspath(given.oakum), "listing", "--no-progress", *map(str, files)],
    }
    taken: dict[str, list[Run]] = {name: [] for name in commands}
    with TemporaryDirectory() as temporary:
        for _ in range(given.runs):
            for name, command in commands.items():
                report = Path(temporary) / "report"
                if name == "cat":
                    command = ["sh", "-c", 'exec cat "$@" >/dev/null', *command]
                taken[name].append(run(command, env=os.environ, folder=Path(temporary), limit=3600, output=report))
    for name, runs in taken.items():
        wall = median(r.wall for r in runs)
        print(
            f"{name}: {wall:.1f} s ({given.entries / wall:,.0f} entries/s, {size / 1e6 / wall:.0f} MB/s), "
            f"processor {median(r.cpu for r in runs):.1f} s, peak {median(r.peak for r in runs) / 1024:.0f} MiB"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
