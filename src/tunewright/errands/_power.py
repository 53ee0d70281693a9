"""What the machine draws and what memory it has, as far as the system tells."""

import os
import time
from pathlib import Path

RAPL = Path("/sys/class/powercap")
"""Linux's counters of processor energy, in microjoules; often readable by root only."""
CORE_WATTS, GIGABYTE_WATTS = 10.0, 0.375
"""Assumed where nothing is measured: a busy core of a server or laptop, and memory (3 W for 8 GB)."""


class Meter:
    """Power between its making and `read`."""

    def __init__(self, said: float) -> None:
        self.said, self.began, self.joules = said, time.monotonic(), _joules()

    def read(self) -> tuple[float, str]:
        """Watts, and how they are known."""
        if self.said:
            return self.said, "as tunewright.yaml says"
        now, seconds = _joules(), time.monotonic() - self.began
        if self.joules is not None and now is not None and seconds > 0 and now > self.joules:
            return (now - self.joules) / seconds, "measured by the processor's energy counters (RAPL)"
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        watts = cores * CORE_WATTS + resident() / 1e9 * GIGABYTE_WATTS
        return watts, f"assumed: {CORE_WATTS:g} W for each of {cores} cores, and the memory used"


def _joules() -> float | None:
    try:
        counters = [p for p in RAPL.glob("intel-rapl:*/energy_uj") if p.parent.name.count(":") == 1]
        return sum(int(p.read_text()) for p in counters) / 1e6 if counters else None
    except (OSError, ValueError):
        return None


def available() -> float:
    """Bytes that could still be had: what the system has left, or what its group may have."""
    left = _meminfo("MemAvailable")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        if limit != "max":
            left = min(left, max(0.0, float(limit) - used)) if left else max(0.0, float(limit) - used)
    except (OSError, ValueError):
        pass
    return left or float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def resident() -> float:
    """Bytes that this process has in memory now."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


def _meminfo(name: str) -> float:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(x.split()[1]) * 1024 for x in lines if x.startswith(f"{name}:")), 0.0)
