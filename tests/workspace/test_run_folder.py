"""A folder belongs to one run at a time, is replaced as a whole, and is read only while it is what its run wrote."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierlens.errors import BusyError, UsageError
from tierlens.pipeline.run import _rejects
from tierlens.publish.files.run_json import write_folder_record
from tierlens.sources.report.quality import Quality
from tierlens.words import Text
from tierlens.workspace import run_folder
from tierlens.workspace.run_folder import (
    CUSTOMERS,
    REPORT,
    RUN,
    finished_file,
    held_folder,
    kept_models,
    replaced_folder,
)


def run_in(place: Path, **files: str) -> Path:
    """Write a folder as a finished run leaves it."""
    for name, text in {"customers.parquet": "old", **files}.items():
        path = place / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    write_folder_record(place, RUN)
    return place


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_nothing_is_left_of_a_hold_but_what_was_written(tmp_path: Path) -> None:
    with held_folder(tmp_path / "a" / "run") as place:
        assert not place.exists()
        assert [path.suffix for path in place.parent.iterdir()] == [".lock"]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RuntimeError), held_folder(tmp_path / "run"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_is_told_who_writes(tmp_path: Path) -> None:
    told = f"process {os.getpid()} is writing here"
    with held_folder(tmp_path / "run"), pytest.raises(BusyError, match=told) as caught, held_folder(tmp_path / "run"):
        pass
    assert caught.value.exit_code == 4


def test_two_runs_beside_each_other_do_not_meet(tmp_path: Path) -> None:
    with (
        held_folder(tmp_path / "one") as one,
        held_folder(tmp_path / "two") as two,
        replaced_folder(one) as new,
        replaced_folder(two) as other,
    ):
        run_in(new)
        run_in(other)
    assert names(tmp_path) == ["one/customers.parquet", "one/run.json", "two/customers.parquet", "two/run.json"]


def test_an_earlier_run_is_not_written_over_without_force(tmp_path: Path) -> None:
    place = run_in(tmp_path / "run")
    with pytest.raises(UsageError, match=r"E-RU-002 .* add --force"), held_folder(place, force=False):
        pass
    with held_folder(place, force=True):
        pass


def test_a_result_of_a_single_command_is_not_written_over_either(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / run_folder.TIERS).write_text("of grade")
    with pytest.raises(UsageError, match=r"E-RU-002 .*tiers\.parquet"), held_folder(tmp_path / "run", force=False):
        pass


def test_a_link_stays_a_link_to_the_new_run(tmp_path: Path) -> None:
    place = run_in(tmp_path / "monday")
    (tmp_path / "latest").symlink_to("monday")
    with held_folder(tmp_path / "latest") as real, replaced_folder(real) as new:
        run_in(new, **{CUSTOMERS: "new"})
    assert (tmp_path / "latest").readlink() == Path("monday")
    assert (place / CUSTOMERS).read_text() == "new"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("mine")
    with pytest.raises(UsageError, match=r"E-RU-040 .* this is no folder"), held_folder(tmp_path / "orders.csv"):
        pass
    with pytest.raises(FileExistsError), held_folder(tmp_path / "orders.csv" / "run"):
        pass
    assert names(tmp_path) == ["orders.csv"]


def test_a_folder_of_a_person_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / ".gitkeep").write_text("")
    with held_folder(tmp_path / "shop"):
        pass
    (tmp_path / "shop" / "orders.csv").write_text("mine")
    with pytest.raises(UsageError, match=r"E-RU-041 .*orders\.csv; name a folder of its own.*shop/results"):
        held_folder(tmp_path / "shop").__enter__()


def test_the_folder_that_one_stands_in_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = run_in(tmp_path / "run", lists__a="")
    monkeypatch.chdir(place / "lists")
    with pytest.raises(UsageError, match=r"E-RU-041 .* stands in the folder"), held_folder(place):
        pass


def test_a_mounted_folder_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = run_in(tmp_path / "run")
    monkeypatch.setattr(Path, "is_mount", lambda self: self == place)
    for where in (place, Path("/")):
        with pytest.raises(UsageError, match=r"E-RU-041 .* mounted"), held_folder(where):
            pass


def test_what_the_command_reads_is_not_replaced(tmp_path: Path) -> None:
    place = run_in(tmp_path / "run")
    (place / "notes").write_text("not of the run")
    os.link(place / CUSTOMERS, tmp_path / "own.parquet")
    with pytest.raises(UsageError, match=r"E-RU-045 .*customers\.parquet is read"), held_folder(
        place, inputs=[tmp_path / "own.parquet"]
    ):  # fmt: skip
        pass
    with held_folder(place, inputs=[place / "notes"]):
        pass


def test_only_what_the_earlier_run_wrote_goes_with_it(tmp_path: Path) -> None:
    place = run_in(tmp_path / "run", **{"report.html": "old", "lists__a.csv": "old", "lists__gone.csv": "old"})
    (place / "lists" / "a.csv").write_text("with my notes")
    (place / "lists" / "mine.csv").write_text("mine")
    said: list[Text] = []
    with held_folder(place) as real, replaced_folder(real, said.append) as new:
        run_in(new, **{CUSTOMERS: "new", "lists__a.csv": "new"})
    assert names(place) == ["customers.parquet", "lists/a.csv", "lists/a.earlier.csv", "lists/mine.csv", "run.json"]
    assert (place / "lists" / "a.earlier.csv").read_text() == "with my notes"
    assert [text.en for text in said] == ["lists/a.earlier.csv is kept: it was not as the earlier run wrote it"]
    assert finished_file(place, CUSTOMERS).read_text() == "new"


def test_a_damaged_record_lets_nothing_go(tmp_path: Path) -> None:
    place = run_in(tmp_path / "run")
    (place / RUN).write_text("{")
    with held_folder(place) as real, replaced_folder(real) as new:
        run_in(new, **{CUSTOMERS: "new"})
    assert (place / "customers.earlier.parquet").read_text() == "old"


def test_one_file_can_be_made_again(tmp_path: Path) -> None:
    place = run_in(tmp_path / "run", **{REPORT: "old", "lists__a.csv": "a"})
    with held_folder(place) as real, replaced_folder(real, only={REPORT, RUN}) as new:
        (new / REPORT).write_text("new")
        (new / RUN).write_text("{}")
    assert names(place) == ["customers.parquet", "lists/a.csv", "report.html", "run.json"]
    assert (place / REPORT).read_text() == "new"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda place: (place / CUSTOMERS).write_text("cut"), r"E-RU-042 .*customers\.parquet is not as"),
        (lambda place: (place / CUSTOMERS).write_text("ol"), r"E-RU-042 .*customers\.parquet is not as"),
        (lambda place: (place / CUSTOMERS).unlink(), r"E-RU-042 .*customers\.parquet is not as"),
        (lambda place: (place / RUN).write_text("{"), r"E-RU-042 .*run\.json is not as"),
        (lambda place: (place / RUN).write_text("[]"), r"E-RU-042 .*run\.json is not as"),
        (lambda place: (place / RUN).write_text('{"outputs": [{"name": []}]}'), r"E-RU-042 .*run\.json is not as"),
        (lambda place: (place / RUN).write_bytes(b"\xff"), r"E-RU-042 .*run\.json is not as"),
        (lambda place: (place / RUN).unlink(), r"E-RU-004 .*no run\.json here; run 'tierlens run"),
    ],
)
def test_a_folder_that_is_no_whole_run_is_not_read(tmp_path: Path, damage: Callable[[Path], object], told: str) -> None:
    place = run_in(tmp_path / "run")
    assert finished_file(place, CUSTOMERS).read_text() == "old"
    damage(place)
    with pytest.raises(UsageError, match=told) as caught:
        finished_file(place, CUSTOMERS)
    assert str(place) in caught.value.say("zh")


def test_what_a_run_does_not_have_is_told(tmp_path: Path) -> None:
    place = run_in(tmp_path / "run")
    (place / "tested.parquet").write_text("no file of the run")
    with pytest.raises(UsageError, match=r"E-RU-004 .*no tested\.parquet here"):
        finished_file(place, "tested.parquet")


def test_a_reader_sees_the_run_that_took_the_place_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, real = run_in(tmp_path / "run"), run_folder.run_record

    def overtaken(folder: Path, out: Path | None = None) -> Mapping[str, Any]:
        told = real(folder, out)
        if (place / CUSTOMERS).read_text() == "old":
            run_in(place, **{CUSTOMERS: "another"})
        return told

    monkeypatch.setattr(run_folder, "run_record", overtaken)
    assert finished_file(place, CUSTOMERS).read_text() == "another"


def test_models_of_a_run_and_models_alone_are_read_as_they_were_kept(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"E-RU-043 .*models: there is no model here; run 'tierlens train"):
        kept_models(tmp_path)
    run = run_in(tmp_path / "run", **{"models__churn__model.json": "kept", REPORT: "kept"})
    alone = tmp_path / "alone"
    (alone / "models" / "churn").mkdir(parents=True)
    (alone / "models" / "churn" / "model.json").write_text("kept")
    write_folder_record(alone / "models", run_folder.ALONE)
    (run / REPORT).write_text("of no concern to models")
    for place in (run, alone):
        assert kept_models(place) == place / "models"
        (place / "models" / "churn" / "model.json").write_text("{")
        with pytest.raises(UsageError, match=r"E-RU-042 .*models/churn/model\.json"):
            kept_models(place)


def test_each_table_that_lost_a_row_has_its_rejects(tmp_path: Path) -> None:
    others = {"tickets": Quality("shop: tickets", 2, 1, quarantined={"out_of_range": 1}), "surveys": Quality("s", 1, 1)}
    _rejects(Quality("shop", 1, 1, others=others), tmp_path)
    assert names(tmp_path) == ["rejects.csv", "rejects_tickets.csv"]


NAMES = st.sampled_from(["customers.parquet", "report.html", "lists/a.csv", "lists/b.xlsx", "models/churn/model.json"])
CONTENT = st.binary(min_size=1, max_size=40)


@settings(max_examples=15)
@given(st.dictionaries(NAMES, CONTENT, min_size=1), st.data())
def test_a_change_of_any_byte_of_any_file_is_noticed(files: dict[str, bytes], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(files)))
    at, by = data.draw(st.integers(0, len(files[name]) - 1)), data.draw(st.integers(1, 255))
    with TemporaryDirectory() as folder:
        place = written(Path(folder), files)
        assert finished_file(place, name).read_bytes() == files[name]
        spoilt = bytearray(files[name])
        spoilt[at] ^= by
        (place / name).write_bytes(spoilt)
        with pytest.raises(UsageError, match="E-RU-042"):
            finished_file(place, name)
        for other, content in files.items():
            assert other == name or finished_file(place, other).read_bytes() == content


@settings(max_examples=8)
@given(st.dictionaries(NAMES, CONTENT), st.dictionaries(NAMES, CONTENT), st.dictionaries(NAMES, CONTENT, min_size=1))
def test_whatever_a_person_put_or_changed_is_there_after_the_next_run(
    old: dict[str, bytes], mine: dict[str, bytes], new: dict[str, bytes]
) -> None:
    with TemporaryDirectory() as folder:
        place = written(Path(folder) / "run", old)
        for name, content in mine.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        with held_folder(place) as real, replaced_folder(real) as made:
            written(made, new)
        there = [path.read_bytes() for path in place.rglob("*") if path.is_file()]
        for name, content in mine.items():
            assert content in there or content == old.get(name), name
        assert all(finished_file(place, name).read_bytes() == content for name, content in new.items())
        gone = {name for name in old if name not in mine and name not in new}
        assert not [name for name in gone if (place / name).exists()]


def written(place: Path, files: dict[str, bytes]) -> Path:
    """Write a finished run of these files."""
    for name, content in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    place.mkdir(parents=True, exist_ok=True)
    write_folder_record(place, RUN)
    return place


def test_a_run_that_breaks_off_leaves_the_earlier_one_to_the_byte(tmp_path: Path) -> None:
    place = run_in(tmp_path / "run", lists__a="old")
    before = {name: (place / name).read_bytes() for name in names(place)}
    with pytest.raises(FileNotFoundError), held_folder(place) as real, replaced_folder(real) as new:
        (new / "nowhere" / CUSTOMERS).write_text(str((new / CUSTOMERS).write_text("new")))
    assert {name: (place / name).read_bytes() for name in names(place)} == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("name", sorted(run_folder.RESULTS))
def test_a_folder_that_holds_results_only_may_be_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).write_text("of an earlier command")
    with held_folder(tmp_path / "run", force=True) as place:
        assert place == tmp_path / "run"


@settings(max_examples=6)
@given(st.from_regex(r"[a-z]{1,12}(\.[a-z]{1,5})?", fullmatch=True).filter(lambda name: name not in run_folder.RESULTS))
def test_a_folder_that_holds_anything_else_may_not(name: str) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / "run").mkdir()
        (Path(folder) / "run" / name).write_text("of a person")
        with (
            pytest.raises(UsageError, match=f"E-RU-041 .*holds what no run wrote: {name}"),
            held_folder(Path(folder) / "run"),
        ):
            pass


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"outputs": 3}', '{"outputs": [{"name": "a"}]}'])
def test_a_record_that_cannot_be_read_lists_no_file(tmp_path: Path, content: str) -> None:
    assert run_folder.listed_files(tmp_path / RUN) == {}
    (tmp_path / RUN).write_text(content)
    assert run_folder.listed_files(tmp_path / RUN) == {}


def test_a_run_is_read_through_a_link_to_its_folder(tmp_path: Path) -> None:
    run_in(tmp_path / "monday", lists__a="kept")
    (tmp_path / "latest").symlink_to("monday")
    assert finished_file(tmp_path / "latest", "lists/a").read_text() == "kept"


@pytest.mark.parametrize("name", ["../secret.csv", "lists/../../secret.csv"])
def test_a_file_beside_the_folder_is_no_file_of_the_run(tmp_path: Path, name: str) -> None:
    place = run_in(tmp_path / "run", lists__a="a")
    (tmp_path / "secret.csv").write_text("mine")
    with pytest.raises(UsageError, match="E-RU-004"):
        finished_file(place, name)


@pytest.mark.parametrize(
    ("problem", "code", "en", "zh"),
    [
        (run_folder.absent_file_error(Path("out"), REPORT), "E-RU-004", "no report.html here", "此处没有 report.html"),
        (run_folder.not_whole(Path("out"), REPORT), "E-RU-042", "report.html is not as it was", "report.html 与写入时"),
        (run_folder.no_model(Path("out")), "E-RU-043", "no model here", "此处没有模型"),
    ],
)
def test_each_refusal_names_place_and_command_in_both_languages(
    problem: UsageError, code: str, en: str, zh: str
) -> None:
    assert problem.say("en").startswith(f"{code} out: ")
    assert en in problem.say("en")
    assert zh in problem.say("zh")
    assert all("tierlens " in problem.say(lang) for lang in ("en", "zh"))
