"""Seconds, memory and rows of the simulated shop, by number of customers: ``python benchmarks/simulate.py [SIZES]``.

Each size runs in a process of its own, so that its peak memory is its own. 1,000,000 customers take some minutes and
2 GB of disk in the temporary folder.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time

from tierlens.datasets.simulate import ShopPlan, truth_at, write_shop

SIZES = ("1000", "10000", "100000")


def measure(customers: int) -> dict[str, float]:
    """Simulate one shop of 36 months and work out its true risks."""
    plan = ShopPlan(customers)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        shop = write_shop(plan, folder)
        written = time.perf_counter()
        frames = (shop.tables.transactions, *shop.tables.others.values())
        rows = sum(frame.to_native().count("*").fetchall()[0][0] for frame in frames)
        counted = time.perf_counter()
        truth_at(plan, "2025-09-01", 90)
        ended = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rows": rows, "write": written - started, "risk": ended - counted, "peak": peak}


def main() -> None:
    """Print the table."""
    print(f"{'customers':>10} {'rows':>12} {'write, s':>9} {'rows/s':>10} {'true risk, s':>13} {'peak, MiB':>10}")
    for size in sys.argv[1:] or SIZES:
        command = [sys.executable, __file__, "--one", size]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        speed = found["rows"] / found["write"]
        print(
            f"{int(size):>10,} {found['rows']:>12,} {found['write']:>9.1f} {speed:>10,.0f} {found['risk']:>13.1f} "
            f"{found['peak']:>10,.0f}"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(int(sys.argv[2]))))
    else:
        main()
