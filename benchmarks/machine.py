"""What a figure depends on besides the code: the machine and the versions of the tools."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

from .tools import Tool, environment


def about() -> dict[str, object]:
    """Processor, cores, memory, system."""
    return {
        "processor": _field("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory": _field("/proc/meminfo", "MemTotal"),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": [round(n, 2) for n in os.getloadavg()] if hasattr(os, "getloadavg") else [],
    }


def versions(tools: dict[Tool, Path], bench: Path) -> dict[str, str]:
    """What each tool says its version is."""
    found = {}
    for tool, path in tools.items():
        done = subprocess.run(
            [path, "--version"], env=environment(tool, bench), capture_output=True, text=True, check=False, timeout=60
        )
        found[tool.name] = (
            (done.stdout or done.stderr).strip().splitlines()[0].split()[-1] if not done.returncode else ""
        )
    return found


def _field(file: str, name: str) -> str:
    try:
        text = Path(file).read_text()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith(name)), "")
