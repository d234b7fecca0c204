"""A folder belongs to one run at a time, is replaced as a whole, and is read only while it is what its run wrote."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tierlens.errors import BusyError, UsageError
from tierlens.pipeline.run import _rejects
from tierlens.publish.files.run_json import write_folder_record
from tierlens.sources.report.quality import Quality
from tierlens.words import Text
from tierlens.workspace import run_folder
from tierlens.workspace.run_folder import CUSTOMERS, REPORT, RUN, finished, held, kept_models, replaced


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
    with held(tmp_path / "a" / "run") as place:
        assert not place.exists()
        assert [path.suffix for path in place.parent.iterdir()] == [".lock"]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RuntimeError), held(tmp_path / "run"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_is_told_who_writes(tmp_path: Path) -> None:
    told = f"process {os.getpid()} is writing here"
    with held(tmp_path / "run"), pytest.raises(BusyError, match=told) as caught, held(tmp_path / "run"):
        pass
    assert caught.value.exit_code == 4


def test_two_runs_beside_each_other_do_not_meet(tmp_path: Path) -> None:
    with held(tmp_path / "one") as one, held(tmp_path / "two") as two, replaced(one) as new, replaced(two) as other:
        run_in(new)
        run_in(other)
    assert names(tmp_path) == ["one/customers.parquet", "one/run.json", "two/customers.parquet", "two/run.json"]


def test_an_earlier_run_is_not_written_over_without_force(tmp_path: Path) -> None:
    place = run_in(tmp_path / "run")
    with pytest.raises(UsageError, match=r"E-RU-002 .* add --force"), held(place, force=False):
        pass
    with held(place, force=True):
        pass


def test_a_result_of_a_single_command_is_not_written_over_either(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / run_folder.TIERS).write_text("of grade")
    with pytest.raises(UsageError, match=r"E-RU-002 .*tiers\.parquet"), held(tmp_path / "run", force=False):
        pass


def test_a_link_stays_a_link_to_the_new_run(tmp_path: Path) -> None:
    place = run_in(tmp_path / "monday")
    (tmp_path / "latest").symlink_to("monday")
    with held(tmp_path / "latest") as real, replaced(real) as new:
        run_in(new, **{CUSTOMERS: "new"})
    assert (tmp_path / "latest").readlink() == Path("monday")
    assert (place / CUSTOMERS).read_text() == "new"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("mine")
    with pytest.raises(UsageError, match=r"E-RU-040 .* this is no folder"), held(tmp_path / "orders.csv"):
        pass
    with pytest.raises(FileExistsError), held(tmp_path / "orders.csv" / "run"):
        pass
    assert names(tmp_path) == ["orders.csv"]


def test_a_folder_of_a_person_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / ".gitkeep").write_text("")
    with held(tmp_path / "shop"):
        pass
    (tmp_path / "shop" / "orders.csv").write_text("mine")
    with pytest.raises(UsageError, match=r"E-RU-041 .*orders\.csv; name a folder of its own.*shop/results"):
        held(tmp_path / "shop").__enter__()


def test_the_folder_that_one_stands_in_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = run_in(tmp_path / "run", lists__a="")
    monkeypatch.chdir(place / "lists")
    with pytest.raises(UsageError, match=r"E-RU-041 .* stands in the folder"), held(place):
        pass


def test_a_mounted_folder_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = run_in(tmp_path / "run")
    monkeypatch.setattr(Path, "is_mount", lambda self: self == place)
    for where in (place, Path("/")):
        with pytest.raises(UsageError, match=r"E-RU-041 .* mounted"), held(where):
            pass


def test_what_the_command_reads_is_not_replaced(tmp_path: Path) -> None:
    place = run_in(tmp_path / "run")
    (place / "notes").write_text("not of the run")
    os.link(place / CUSTOMERS, tmp_path / "own.parquet")
    with pytest.raises(UsageError, match=r"E-RU-045 .*customers\.parquet is read"), held(
        place, inputs=[tmp_path / "own.parquet"]
    ):  # fmt: skip
        pass
    with held(place, inputs=[place / "notes"]):
        pass


def test_only_what_the_earlier_run_wrote_goes_with_it(tmp_path: Path) -> None:
    place = run_in(tmp_path / "run", **{"report.html": "old", "lists__a.csv": "old", "lists__gone.csv": "old"})
    (place / "lists" / "a.csv").write_text("with my notes")
    (place / "lists" / "mine.csv").write_text("mine")
    said: list[Text] = []
    with held(place) as real, replaced(real, said.append) as new:
        run_in(new, **{CUSTOMERS: "new", "lists__a.csv": "new"})
    assert names(place) == ["customers.parquet", "lists/a.csv", "lists/a.earlier.csv", "lists/mine.csv", "run.json"]
    assert (place / "lists" / "a.earlier.csv").read_text() == "with my notes"
    assert [text.en for text in said] == ["lists/a.earlier.csv is kept: it was not as the earlier run wrote it"]
    assert finished(place, CUSTOMERS).read_text() == "new"


def test_a_damaged_record_lets_nothing_go(tmp_path: Path) -> None:
    place = run_in(tmp_path / "run")
    (place / RUN).write_text("{")
    with held(place) as real, replaced(real) as new:
        run_in(new, **{CUSTOMERS: "new"})
    assert (place / "customers.earlier.parquet").read_text() == "old"


def test_one_file_can_be_made_again(tmp_path: Path) -> None:
    place = run_in(tmp_path / "run", **{REPORT: "old", "lists__a.csv": "a"})
    with held(place) as real, replaced(real, only={REPORT, RUN}) as new:
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
def test_a_folder_that_is_no_whole_run_is_not_read(tmp_path: Path, damage, told) -> None:
    place = run_in(tmp_path / "run")
    assert finished(place, CUSTOMERS).read_text() == "old"
    damage(place)
    with pytest.raises(UsageError, match=told) as caught:
        finished(place, CUSTOMERS)
    assert str(place) in caught.value.say("zh")


def test_what_a_run_does_not_have_is_told(tmp_path: Path) -> None:
    place = run_in(tmp_path / "run")
    (place / "tested.parquet").write_text("no file of the run")
    with pytest.raises(UsageError, match=r"E-RU-004 .*no tested\.parquet here"):
        finished(place, "tested.parquet")


def test_a_reader_sees_the_run_that_took_the_place_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, real = run_in(tmp_path / "run"), run_folder.run_record

    def overtaken(folder: Path, out: Path | None = None):
        told = real(folder, out)
        if (place / CUSTOMERS).read_text() == "old":
            run_in(place, **{CUSTOMERS: "another"})
        return told

    monkeypatch.setattr(run_folder, "run_record", overtaken)
    assert finished(place, CUSTOMERS).read_text() == "another"


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
