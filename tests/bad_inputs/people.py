"""Cases 44-51: customers, their names, and their consent."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tests.bad_inputs.kit import (
    GOOD,
    HEADER,
    Case,
    Do,
    Got,
    Refuse,
    Take,
    closed,
    expect,
    read_files,
)
from tests.publish.samples import make_customers, make_findings
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.grading import grade, grade_evidence, load_scheme
from tierlens.publish.files.safe_text import plain_text
from tierlens.publish.lists.customer_lists import Pick, customer_list
from tierlens.publish.lists.list_files import write_list
from tierlens.publish.report.drawing import svg_element
from tierlens.publish.report.findings import Weight, Why
from tierlens.publish.report.html import render_report
from tierlens.publish.report.pictures import draw_importance
from tierlens.sources.engines import settle_frame
from tierlens.sources.report.duplicate_customers import duplicate_pairs
from tierlens.words import Text

FORMULAS = ('=HYPERLINK("x")', "+8613800000000", "@x", "\t=1", "-1+1")
SCRIPT = "<script>alert(1)</script>"
SPOOF = "abc\u202edef"


def _no_history(folder: Path) -> Got:
    """A customer who never bought stands in the snapshot, and is not graded."""
    files = {"orders.csv": HEADER + GOOD, "customers.csv": "customer_id,name\nC1,国贸\nNEW,新客\n"}
    tables, quality = read_files(folder, files, {"customers": "customers.csv"}, {})
    features = settle_frame(build_snapshots(tables, "2026-02-01", everyone=True))
    table = to_arrow(features)
    row = table.filter(pc.equal(table["customer_id"], "NEW")).to_pylist()[0]
    expect([0, 0, None, None], [row[name] for name in ("frequency", "monetary", "recency_days", "tenure_days")],
           "features of a customer without history")  # fmt: skip
    scheme = load_scheme("relationship_rating")
    graded = to_arrow(grade(features, scheme, tables.currency))
    place = graded["customer_id"].to_pylist().index("NEW")
    expect(None, graded["tier"][place].as_py(), "tier")
    expect(True, "no_history" in graded["flags"][place].as_py().split(), "flag")
    said = "\n".join(grade_evidence(graded, table, scheme, tables.currency, "zh")[place])
    expect(True, "未评级" in said, "未评级 in the evidence")
    return Got(closes=closed(quality))


def _twin_names(folder: Path) -> Got:
    """Two writings of one name stay two customers, and are reported as a pair."""
    files = {"orders.csv": HEADER + "A,1,2026-01-05,1\nB,2,2026-01-05,1\n",
             "customers.csv": "customer_id,name\nA,国际贸易公司\nB,國際貿易公司\n"}  # fmt: skip
    tables, quality = read_files(folder, files, {"customers": "customers.csv"}, {})
    expect(2, quality.others["customers"].used, "customers")
    found = duplicate_pairs(tables).to_pylist()
    expect([("A", "B", "same name")], [(p["customer_id"], p["other_id"], p["why"]) for p in found], "pairs")
    return Got(closes=closed(quality.others["customers"]))


def _listed(texts: tuple[str, ...]) -> pa.Table:
    customers = make_customers(len(texts))
    for name in ("customer_id", "segment_en", "churn_raised_by_1_en", "reason_en"):
        customers = customers.set_column(customers.column_names.index(name), name, pa.array(texts))
    return customers


def _display(folder: Path) -> Got:
    """What cannot be seen is not shown; letters and emoji are."""
    expect("abcdef 𠮷🙂", plain_text(f"{SPOOF} 𠮷🙂"), "shown")
    path = write_list(customer_list(_listed((SPOOF, "𠮷🙂"))), folder / "list.csv")
    text = path.read_text("utf-8-sig")
    expect((False, True, True), ("\u202e" in text, "abcdef" in text, "𠮷🙂" in text), "in a list")
    return Got()


def _formulas(folder: Path) -> Got:
    """No cell of a list is a formula, in either kind of file."""
    chosen = customer_list(_listed(FORMULAS))
    with zipfile.ZipFile(write_list(chosen, folder / "list.xlsx")) as parts:
        sheets = [parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/")]
    expect(0, sum(sheet.count(b"<f>") + sheet.count(b"<f ") for sheet in sheets), "formula cells")
    written = write_list(chosen, folder / "list.csv").read_bytes().decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(written)) for cell in row]
    live = [cell for cell in cells if cell[:1] in ("=", "+", "@", "\t") or cell == "-1+1"]
    expect([], live, "live cells")
    return Got()


def _script(folder: Path) -> Got:
    """A script in a text of the data is shown, never run: in the report, in a plot; an error says it plainly."""
    html = render_report(replace(make_findings(project=SCRIPT), tiers=None, segments=None, risks=(), spotlights=()))
    expect((False, True), (SCRIPT in html, "&lt;script&gt;alert(1)" in html), "in the report")
    why = Why((), (Weight(Text(SCRIPT, SCRIPT), "value", 1.0),), ())
    drawn = svg_element(draw_importance(why, "en"), "importance", SCRIPT)
    expect((False, True), ("<script" in drawn, "&lt;script&gt;alert(1)" in drawn), "in a picture")
    header = f"customer_id,time,amount,{SCRIPT},{SCRIPT}\n"
    return Refuse(header + "1,2,3,4,5\n", "E-TX-011").run(folder)


def _consent(folder: Path) -> Got:
    """Only a word of the allow list is consent."""
    said = ("yes", "否", "N", "0", "unknown", "", "同意")
    customers = make_customers(len(said))
    ids = sorted(customers["customer_id"].to_pylist())
    consent = pa.table({"customer_id": ids, "contactable": list(said)})
    chosen = customer_list(customers, Pick(contactable_only=True), consent=consent).table
    expect(sorted([ids[0], ids[6]]), sorted(chosen["customer_id"].to_pylist()), "on the list")
    return Got()


def _opted_out(folder: Path) -> Got:
    """A refusal that came after the snapshot and before the export counts."""
    customers = make_customers(3)
    ids = customers["customer_id"].to_pylist()
    customers = customers.append_column("contactable", pa.array(["yes"] * 3))
    now = pa.table({"customer_id": ids, "contactable": ["yes", "否", "yes"]})
    chosen = customer_list(customers, Pick(contactable_only=True), consent=now).table
    expect(sorted([ids[0], ids[2]]), sorted(chosen["customer_id"].to_pylist()), "on the list")
    return Got()


CONSENT = "customer_id,可联系\na,是\nb,否\nc,N\nd,0\ne,unknown\nf,\n"
CASES = (
    Case(44, "a customer without a transaction", "no history, 未评级", (Do(_no_history),)),
    Case(45, "two regions for one customer", "REJECT; newest by valid_from, flag",
         (Refuse("customer_id,region\nC1,北京\nC1,上海\n", "E-TX-045", "customers.csv:2", "customers.csv", "customers"),
          Take("customer_id,region,valid_from\nC1,北京,2025-01-01\nC1,上海,2026-01-01\n", 2, {"conflict": 2},
               name="customers.csv", table="customers"))),
    Case(46, "國 and 国 in two company names", "reported, never merged", (Do(_twin_names),)),
    Case(47, "emoji, 𠮷, U+202E in a name", "KEEP; NORMALISE for display",
         (Take("customer_id,name\nC1,\u202e𠮷野家🙂\n", 1, {"text_cleaned": 1}, {"name": ["𠮷野家🙂"]},
               name="customers.csv", table="customers"), Do(_display))),
    Case(48, "name =HYPERLINK(...), +86, @x, tab first", "0 formula cells", (Do(_formulas),)),
    Case(49, "name <script>alert(1)</script>", "escaped", (Do(_script),)),
    Case(50, "consent missing, 否, N, 0, unknown", "only an allow list is consent",
         (Take(CONSENT, 6, {"flag_unknown": 1}, {"contactable": [True] + [False] * 5}, name="customers.csv",
               table="customers"), Do(_consent))),
    Case(51, "opt-out after the snapshot, before export", "not on the list", (Do(_opted_out),)),
)  # fmt: skip
