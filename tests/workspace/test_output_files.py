"""Nothing of a person's is overwritten, whatever command is told to write there."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.publish.samples import make_customers, make_findings
from tierlens.errors import UsageError
from tierlens.features.catalog_page import catalog_page
from tierlens.grading import load_scheme
from tierlens.grading.scheme_yaml import scheme_yaml
from tierlens.publish.documents.scheme_book import write_scheme_book
from tierlens.publish.files.atomic import write_parquet, write_text
from tierlens.publish.files.run_json import write_folder_record
from tierlens.publish.lists.customer_lists import customer_list
from tierlens.publish.lists.list_files import write_list
from tierlens.publish.report.html import write_report
from tierlens.sources.report.quality import Quality
from tierlens.workspace import output_files
from tierlens.workspace.config import config_of_text, load_config
from tierlens.workspace.output_files import Kind, inputs_of, of_no_run, writable_path
from tierlens.workspace.run_folder import RUN

PLAIN = replace(make_findings(), tiers=None, segments=None, risks=())
"""Findings without a picture."""
KEY = {"customer_id": ["a"], "cutoff": pa.array([1], pa.int32())}
PERSONS = {
    ".csv": b"customer_id,order_id,time,amount\n1,2,2026-01-01,3\n", ".xlsx": b"PK\x05\x06" + bytes(18),
    ".html": b"<!doctype html><title>mine</title>", ".yaml": b"name: my shop\nsource: {files: a.csv}\n",
    ".yml": b"a: 1\n", ".json": b'{"name": "mine"}', ".md": b"# My notes\n", ".parquet": b"PAR1 no table PAR1",
}  # fmt: skip


def lists(folder: Path) -> list[Path]:
    made = [customer_list(make_customers(3), lang=lang) for lang in ("en", "zh")]
    return [write_list(one, folder / f"{one.lang}{kind}") for one in made for kind in (".csv", ".xlsx")]


def schemes(folder: Path) -> list[Path]:
    scheme = load_scheme("relationship_rating")
    return [write_text(folder / "a.yaml", scheme_yaml(scheme)), write_text(folder / "a.yml", scheme_yaml(scheme))]


def rejects(folder: Path) -> list[Path]:
    Quality("shop", 1, 1).write_rejects(folder / "rejects.csv")
    return [folder / "rejects.csv"]


def tables(folder: Path, **columns: object) -> list[Path]:
    return [write_parquet(folder / "t.parquet", pa.table({**KEY, **columns}))]


WRITTEN = {
    "list": (output_files.LIST, lists),
    "report": (output_files.REPORT, lambda folder: [write_report(PLAIN, folder / "r.html")]),
    "scheme": (output_files.SCHEME, schemes),
    "book": (output_files.BOOK, lambda f: [write_scheme_book(load_scheme("five_step"), f / "b.xlsx", "zh")]),
    "rejects": (output_files.REJECTS, rejects),
    "page": (output_files.PAGE, lambda folder: [write_text(folder / "features.md", catalog_page())]),
    "snapshots": (output_files.SNAPSHOTS, tables),
    "tiers": (output_files.TIERS, lambda folder: tables(folder, tier=["A"], score=[1.0])),
    "segments": (output_files.SEGMENTS, lambda folder: tables(folder, segment=[1])),
    "scores": (output_files.SCORES, lambda folder: tables(folder, churn_risk=[0.5])),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_file_of_ours_is_replaced_with_force_only(tmp_path: Path, name: str) -> None:
    kind, write = WRITTEN[name]
    for path in write(tmp_path):
        with pytest.raises(UsageError, match=r"E-RU-044 .* add --force"):
            writable_path(path, kind, force=False)
        assert writable_path(path, kind, force=True) == path


@pytest.mark.parametrize("name", ["list", "report", "scheme", "book", "rejects", "page", "tiers"])
def test_another_file_is_not_replaced_even_so(tmp_path: Path, name: str) -> None:
    kind, _ = WRITTEN[name]
    for ending in kind.known:
        path = tmp_path / f"mine{ending}"
        path.write_bytes(PERSONS[ending])
        with pytest.raises(UsageError, match=r"E-RU-046 .* tierlens did not write this file") as caught:
            writable_path(path, kind, force=True)
        assert "不是 tierlens 所写的" in caught.value.say("zh")
        path.write_bytes(b"\xff\x00" * 200)
        with pytest.raises(UsageError, match=r"E-RU-046"):
            writable_path(path, kind, force=True)


def test_a_workbook_of_another_command_is_another_file(tmp_path: Path) -> None:
    book = write_scheme_book(load_scheme("five_step"), tmp_path / "b.xlsx", "en")
    with pytest.raises(UsageError, match=r"E-RU-046 .* as a list"):
        writable_path(book, output_files.LIST, force=True)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (output_files.SCHEME, "x.xlsx"),
        (output_files.LIST, "x.html"),
        (output_files.CARD, "x"),
        (output_files.TWINS, "x.xlsx"),
    ],
)
def test_the_ending_must_fit(tmp_path: Path, kind: Kind, name: str) -> None:
    with pytest.raises(UsageError, match=r"E-RU-027 .* cannot be written as .*; end the name in "):
        writable_path(tmp_path / name, kind, force=True)


def test_what_the_command_reads_is_never_replaced_whatever_leads_to_it(tmp_path: Path) -> None:
    (source,) = rejects(tmp_path)
    (tmp_path / "link.csv").symlink_to(source)
    os.link(source, tmp_path / "second.csv")
    for name in ("rejects.csv", "link.csv", "second.csv"):
        with pytest.raises(UsageError, match=r"E-RU-045 .* this command reads"):
            writable_path(tmp_path / name, output_files.REJECTS, force=True, inputs=[source, tmp_path / "nowhere.csv"])


def test_a_folder_and_a_broken_link_are_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    (tmp_path / "b.csv").symlink_to("nowhere")
    with pytest.raises(UsageError, match=r"E-RU-046 .* this is a folder"):
        writable_path(tmp_path / "a.csv", output_files.LIST, force=True)
    with pytest.raises(UsageError, match=r"E-RU-044"):
        writable_path(tmp_path / "b.csv", output_files.LIST, force=False)


def test_a_file_of_a_finished_run_stays_as_its_record_says(tmp_path: Path) -> None:
    tables(tmp_path, tier=["A"], score=[1.0])
    (tmp_path / "lists").mkdir()
    lists(tmp_path / "lists")
    write_folder_record(tmp_path, RUN)
    for path, kind in (
        (tmp_path / "t.parquet", output_files.TIERS),
        (tmp_path / "lists" / "en.csv", output_files.LIST),
    ):
        with pytest.raises(UsageError, match=r"E-RU-047 .* belongs to a finished run"):
            writable_path(path, kind, force=True)
    assert writable_path(tmp_path / "lists" / "more.csv", output_files.LIST, force=False)
    with pytest.raises(UsageError, match=r"E-RU-047"):
        of_no_run(tmp_path / "lists")
    assert of_no_run(tmp_path / "list") == tmp_path / "list"


def test_all_that_a_run_file_names_is_read(tmp_path: Path) -> None:
    for name in ("a1.csv", "a2.csv", "customers.csv", "same.csv", "own.csv", "ours.yaml", "waivers.yaml"):
        (tmp_path / name).write_text("x")
    file = tmp_path / "run.yaml"
    file.write_text(
        'name: shop\nsource: {files: "a*.csv", currency: CNY, same_customer: same.csv, '
        "tables: {customers: customers.csv, tickets: nowhere.csv}}\n"
        'cutoff: "2026-01-01"\nscheme: ours.yaml\nrisk: {first_cutoff: "2025-01-01"}\nwaivers: waivers.yaml\n'
        "own: {file: own.csv}\n",
        encoding="utf-8",
    )
    found = inputs_of(load_config(file), file, None)
    assert {path.name for path in found} == {
        "a1.csv", "a2.csv", "customers.csv", "nowhere.csv", "same.csv", "own.csv", "ours.yaml", "waivers.yaml",
        "run.yaml",
    }  # fmt: skip
    assert all(path.parent == tmp_path for path in found)


KINDS = {name: kind for name, kind in vars(output_files).items() if isinstance(kind, Kind)}


@pytest.mark.parametrize("name", KINDS)
def test_where_nothing_is_a_file_of_each_ending_may_be_written_in_any_case(tmp_path: Path, name: str) -> None:
    for ending in KINDS[name].known:
        for written in (ending, ending.upper(), ending.title()):
            path = tmp_path / f"a.b{written}"
            assert writable_path(path, KINDS[name], force=False) == path
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=40)
@given(st.sampled_from(sorted(set(KINDS) - {"SNAPSHOTS"})), st.binary(max_size=200))
def test_bytes_that_nobody_of_us_wrote_are_never_replaced(name: str, content: bytes) -> None:
    with TemporaryDirectory() as folder:
        for ending in KINDS[name].known:
            path = Path(folder) / f"mine{ending}"
            path.write_bytes(content)
            for force, code in ((True, "E-RU-046"), (False, "E-RU-044")):
                with pytest.raises(UsageError, match=code):
                    writable_path(path, KINDS[name], force=force)
            assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["list", "report", "scheme", "book", "rejects", "page"])
def test_a_file_of_one_command_is_no_file_of_another(tmp_path: Path, name: str) -> None:
    own, write = WRITTEN[name]
    for path in write(tmp_path):
        takers = [
            kind.name.en for kind in KINDS.values() if path.suffix in kind.known and kind.known[path.suffix](path)
        ]
        assert takers == [own.name.en]


def test_a_file_that_only_begins_like_ours_within_is_a_persons(tmp_path: Path) -> None:
    (path,) = rejects(tmp_path)
    path.write_bytes(b"my notes on\n" + path.read_bytes())
    with pytest.raises(UsageError, match="E-RU-046"):
        writable_path(path, output_files.REJECTS, force=True)


def test_a_broken_record_claims_no_file_and_a_link_into_a_run_claims_its_own(tmp_path: Path) -> None:
    tables(tmp_path / "run", tier=["A"], score=[1.0])
    write_folder_record(tmp_path / "run", RUN)
    (tmp_path / "link").symlink_to("run")
    for path in (tmp_path / "run" / "t.parquet", tmp_path / "link" / "t.parquet"):
        with pytest.raises(UsageError, match=f"E-RU-047 {path}"):
            of_no_run(path)
    (tmp_path / "run" / RUN).write_text("{")
    assert of_no_run(tmp_path / "link" / "t.parquet") == tmp_path / "link" / "t.parquet"


@pytest.mark.parametrize("name", ["list", "lists2", "lists/mine.csv", "new/lists", "t.parquet.csv"])
def test_a_name_that_only_resembles_a_file_of_the_run_is_free(tmp_path: Path, name: str) -> None:
    tables(tmp_path)
    (tmp_path / "lists").mkdir()
    lists(tmp_path / "lists")
    write_folder_record(tmp_path, RUN)
    assert of_no_run(tmp_path / name) == tmp_path / name


def test_a_simulated_shop_reads_nothing_but_its_run_file_and_its_stand_in() -> None:
    text = "name: a\nsimulated: {}\ncutoff: '2025-01-01'\nrisk: {first_cutoff: '2024-01-01'}\n"
    config = config_of_text(text + "otherwise: b.yaml\n", Path("shop"))
    assert inputs_of(config, Path("shop/run.yaml"), None) == [
        Path("relationship_rating"), Path("shop/b.yaml"), Path("shop/run.yaml")
    ]  # fmt: skip
