"""A shop of 60 customers in two CSV files, and a run file with settings that learn in a few seconds."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

RUN = """
name: Tiny shop
source:
  files: orders.csv
  currency: CNY
  policies: {reject_limit: 0.5}
  tables: {customers: customers.csv}
cutoff: "2025-08-01"
scheme: tiered_management
risk: {first_cutoff: "2025-01-01", tests: 1, seeds: 1, draws: 0, resamples: 50, trees: {rounds: 3, num_leaves: 4}}
segments: {n_clusters: 2}
lists: [{name: everybody}]
seed: 1
track: false
"""
TWINS = ("国际贸易", "國際貿易", "长城实业", "長城實業")


def write_shop(folder: Path) -> Path:
    """Write the files of the shop into a folder, which is made; return the run file."""
    folder.mkdir(parents=True, exist_ok=True)
    draw, start = random.Random(5), dt.date(2024, 1, 1)
    orders, customers = ["customer_id,order_id,time,amount", ",O-0,2025-03-06,7"], ["customer_id,name"]
    for number in range(60):
        every, last, day = draw.choice((14, 21, 30, 45)), draw.choice((640, 640, 300, 450, 550)), draw.randrange(30)
        other = "".join(chr(0x4E00 + draw.randrange(20_000)) for _ in range(4))
        customers.append(f"C{number:02},{TWINS[number] if number < len(TWINS) else other}")
        while day < min(last, 640):
            amount = draw.randrange(1000, 99999) * (1 + number % 7)
            orders.append(f"C{number:02},O{len(orders)},{start + dt.timedelta(day)},{amount // 100}.{amount % 100:02}")
            day += max(1, int(draw.gauss(every, every / 4)))
    for name, lines in (("orders.csv", orders), ("customers.csv", customers)):
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "run.yaml").write_text(RUN, encoding="utf-8")
    return folder / "run.yaml"
