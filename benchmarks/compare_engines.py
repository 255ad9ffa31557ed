"""Both matchers on real targets: the reports must be the same, byte for byte.

    python -m benchmarks.compare_engines REPOSITORY …

For targets too large for a test; `tests/engine/test_vectorised.py` does the same on generated text.
"""

from __future__ import annotations

import subprocess
import sys

ENGINES = ("vector", "aho-corasick")


def report(target: str, engine: str) -> str:
    """What a scan with an engine reports, one finding a line."""
    command = [sys.executable, "-m", "oakum.scanner", "scan", target, "--engine", engine, "--format", "jsonl"]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    if done.returncode not in (0, 1):
        sys.exit(f"{target}: the scan with --engine {engine} ended with {done.returncode}")
    return done.stdout


def main() -> int:
    """Compare; 1 where they differ."""
    different = 0
    for target in sys.argv[1:]:
        one, other = (report(target, engine).splitlines() for engine in ENGINES)
        only = [sorted(set(a) - set(b)) for a, b in ((one, other), (other, one))]
        print(f"{target}: {len(one)} findings with each" if one == other else f"{target}: they differ", flush=True)
        for engine, lines in zip(ENGINES, only, strict=True):
            for line in lines:
                print(f"  only {engine}: {line[:300]}")
        different += one != other
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
