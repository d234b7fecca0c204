"""Models on disk and models of one cutoff; the columns that they read and the settings that they take."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierlens.errors import DataError, UsageError
from tierlens.risk.model.classifier import RiskClassifier
from tierlens.risk.model.frozen import freeze_model
from tierlens.risk.model.input_checks import days_of, place_of, signs_of
from tierlens.risk.model.input_columns import Columns, as_table, learn_columns
from tierlens.risk.model.ranks import FEWEST
from tierlens.risk.model.saved import FORMAT, MODEL, load_classifier
from tierlens.risk.model.tree_settings import ALLOWED, SEARCHED, Bound, check_settings, check_whole, fault_of

Floats = npt.NDArray[np.float64]
few = settings(max_examples=25, deadline=None)


def table_of(seed: int, rows: int = 160) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    gone = rng.random(rows) < 0.15
    return pd.DataFrame(
        {"a": rng.normal(size=rows), "b": np.where(gone, np.nan, rng.normal(size=rows)), "p": rng.random(rows)}
    )


def left(table: pd.DataFrame) -> npt.NDArray[np.int64]:
    noise = np.random.default_rng(9).normal(size=len(table))
    return np.asarray(table["a"] + table["p"] + noise > 0.5).astype(np.int64)


@pytest.fixture(scope="module")
def model() -> RiskClassifier:
    """Lines and trees, a prior and two cutoffs."""
    table = table_of(0, 240)
    asked = RiskClassifier(prior="p", seeds=1, n_jobs=1, trees={"rounds": 4, "min_data_in_leaf": 10})
    return asked.fit(table, left(table), cutoffs=np.repeat([100, 130], 120))


@pytest.fixture(scope="module")
def kept(model: RiskClassifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model.save(tmp_path_factory.mktemp("kept") / "deep" / "model")


# --- kept


def rewritten(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what ``model.json`` says."""
    told = json.loads((folder / MODEL).read_text("utf-8"))
    change(told)
    (folder / MODEL).write_text(json.dumps(told), encoding="utf-8")


BROKEN: dict[str, Callable[[dict[str, Any]], object]] = {
    "another format": lambda told: told.update(format=FORMAT + 1),
    "no checksums": lambda told: told.pop("sha256"),
    "no weights": lambda told: told["blend"].pop("weights"),
    "a member of no kind": lambda told: told["blend"]["members"][0].pop("kind"),
    "more boosters than there are": lambda told: told["blend"]["members"][1].update(boosters=9),
    "a prior that is no column": lambda told: told["parameters"].update(prior="q"),
    "a parameter that there is not": lambda told: told["parameters"].update(depth=3),
    "a file outside of the folder": lambda told: told["sha256"].update({"../model.json": "0"}),
    "shifts that are no pairs": lambda told: told.update(shifts=[1, 2]),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_description_that_is_not_whole_is_refused_in_our_words(fault: str, kept: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(kept, tmp_path / "copy")
    rewritten(folder, BROKEN[fault])
    with pytest.raises(DataError, match=r"E-RI-030 .*this is not the model that was kept"):
        load_classifier(folder)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "3", '{"format": 1, "sha256": []}', "[" * 100_000, "\ufeff{}"])
def test_what_is_no_description_is_refused_in_our_words(text: str, kept: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(kept, tmp_path / "copy")
    (folder / MODEL).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="E-RI-030"):
        load_classifier(folder)


def test_trees_that_are_no_trees_are_refused_even_where_a_checksum_fits(kept: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(kept, tmp_path / "copy")
    name = next(path.name for path in folder.glob("trees_*.txt"))
    (folder / name).write_text("tree\nno trees here\n", encoding="utf-8")
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    rewritten(folder, lambda told: told["sha256"].update({name: digest}))
    with pytest.raises(DataError, match="E-RI-030"):
        load_classifier(folder)


def test_every_file_is_vouched_for_and_strange_ones_are_not_read(kept: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(kept, tmp_path / "copy")
    told = json.loads((folder / MODEL).read_text("utf-8"))
    assert set(told["sha256"]) == {path.name for path in folder.iterdir()} - {MODEL}
    (folder / "line_9.npy").write_bytes(b"nothing of ours")
    table = table_of(3)
    assert (load_classifier(folder).predict_proba(table) == load_classifier(kept).predict_proba(table)).all()


@pytest.mark.parametrize("name", ["curves.npy", "line_0.npy", "trees_1_0.txt", MODEL])
def test_a_file_that_is_gone_is_named(name: str, kept: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(kept, tmp_path / "copy")
    (folder / name).unlink()
    with pytest.raises(DataError, match=f"E-RI-030 .*{name}.*no such file"):
        load_classifier(folder)


@pytest.mark.parametrize("labels", [[False, True], ["stays", "客户流失"], [1, 2], [-1.0, 2.0]])
def test_classes_of_any_kind_come_back_as_they_were(labels: list[Any], tmp_path: Path) -> None:
    table = table_of(1, 60)
    given = np.array(labels)[left(table)]
    model = RiskClassifier(n_jobs=1).fit(table, given)
    again = load_classifier(model.save(tmp_path))
    assert again.classes_.tolist() == sorted(labels)
    assert again.predict(table).tolist() == model.predict(table).tolist()


def test_parameters_that_numpy_counted_can_be_kept(tmp_path: Path) -> None:
    """What a search or a table hands over is a number like any other."""
    table = table_of(1, 60)
    trees: Any = MappingProxyType({"rounds": np.int64(3), "learning_rate": np.float32(0.5)})
    model = RiskClassifier(seeds=np.int64(1), random_state=np.int32(4), ridge=np.float32(2.5), trees=trees)  # type: ignore[arg-type]
    again = load_classifier(model.fit(table, left(table)).save(tmp_path))
    assert again.get_params() == model.get_params()
    assert (again.predict_proba(table) == model.predict_proba(table)).all()


# --- frozen


@pytest.mark.parametrize("base_rate", [None, 0.2])
@pytest.mark.parametrize("rows", [FEWEST - 1, 200])
def test_a_batch_is_scored_as_among_all_customers_of_the_cutoff(
    model: RiskClassifier, rows: int, base_rate: float | None
) -> None:
    crowd = table_of(5, rows)
    whole = model.predict_proba(crowd, cutoffs=np.full(rows, 160), base_rate=base_rate)[:, 1]
    frozen = freeze_model(model, crowd, 160, base_rate)
    columns = {name: np.asarray(crowd[name], dtype=np.float64) for name in crowd}
    for part in (slice(0, 7), slice(7, 8), slice(8, rows)):
        batch = {str(name): values[part] for name, values in columns.items()}
        assert frozen.score(batch) == pytest.approx(whole[part], abs=1e-12)
    assert frozen.score({str(name): values[:0] for name, values in columns.items()}).shape == (0,)


def test_freezing_leaves_the_model_as_it_was_and_takes_columns_in_any_order(model: RiskClassifier) -> None:
    table = table_of(6)
    before = model.predict_proba(table)
    frozen = freeze_model(model, table * [1.0, 3.0, 1.0], 160)
    assert (model.predict_proba(table) == before).all()
    columns = {name: table[name].to_numpy(dtype=np.float64) for name in ("p", "b", "a")}
    more = columns | {"unheard of": np.zeros(len(table))}
    assert (frozen.score(columns) == frozen.score(more)).all()


# --- columns


def test_pandas_polars_and_arrow_are_one_table() -> None:
    frame = pd.DataFrame({"n": [1.0, None, 3.0], "t": ["x", None, "y"], "f": [True, False, True], "i": [1, 2, 3]})
    tables = [frame, pl.from_pandas(frame), pa.Table.from_pandas(frame, preserve_index=False)]
    known = [learn_columns(table) for table in tables]
    assert known[0] == known[1] == known[2]
    assert known[0].levels == (None, ("x", "y"), ("False", "True"), None)
    for columns, table in zip(known, tables, strict=True):
        np.testing.assert_array_equal(columns.matrix(table), [[1, 0, 1, 1], [np.nan, np.nan, 0, 2], [3, 1, 1, 3]])


@few
@given(st.lists(st.sampled_from(["a", "b", "", "客", "nan", None]), min_size=1, max_size=12))
def test_codes_are_places_in_the_alphabet_of_the_levels_learned(words: list[str | None]) -> None:
    frame = pd.DataFrame({"word": pd.Series(words, dtype=object)})
    known = learn_columns(frame)
    levels = sorted({word for word in words if word is not None})
    if not levels:
        return
    assert known.levels == (tuple(levels),)
    expected = [np.nan if word is None else levels.index(word) for word in words]
    np.testing.assert_array_equal(known.matrix(frame).ravel(), expected)


@pytest.mark.parametrize("table", [np.zeros((2, 3)), [[1, 2, 3], [4, 5, 6]]])
def test_columns_of_an_array_are_numbered_and_all_numbers(table: Any) -> None:
    known = learn_columns(table)
    assert known == Columns(("x0", "x1", "x2"), (None, None, None))
    assert known.categorical == []
    assert as_table(table) is None
    assert known.matrix(table).dtype == np.float64


def test_a_number_beyond_all_bounds_is_refused_where_a_missing_one_is_not() -> None:
    known = learn_columns(pd.DataFrame({"a": [1.0]}))
    assert np.isnan(known.matrix(pd.DataFrame({"a": [np.nan]}))).all()
    with pytest.raises(ValueError, match="infinity"):
        known.matrix(pd.DataFrame({"a": [np.inf]}))


# --- what is checked before learning

DAY = 14_000


@pytest.mark.parametrize(
    "given",
    [
        [DAY, DAY + 1],
        np.array([DAY, DAY + 1], dtype=np.int32),
        ["2008-05-01", "2008-05-02"],
        pd.Series(pd.to_datetime(["2008-05-01 00:00", "2008-05-02 23:59"])),
        # Days are those of the clock that the times were told by.
        pd.Series(pd.to_datetime(["2008-05-01 00:30", "2008-05-02 23:59"]).tz_localize("Asia/Shanghai")),
        pl.Series(["2008-05-01", "2008-05-02"]).str.to_date(),
        [pd.Timestamp("2008-05-01").date(), pd.Timestamp("2008-05-02").date()],
    ],
)
def test_cutoffs_of_any_kind_are_whole_days(given: Any) -> None:
    found = days_of(given, 2)
    assert found is not None
    assert found.tolist() == [DAY, DAY + 1]


WRONG: list[Any] = [
    ["2008-05-01", None], [None, "2008-05-01"], [object(), object()], pd.Series([pd.NaT, pd.NaT]), [True, False],
    [14_000.0, np.nan], [14_000.0, np.inf], "2008-05-01", [["2008-05-01", "2008-05-02"]], [14_000],
]  # fmt: skip


@pytest.mark.parametrize("given", WRONG)
def test_what_is_no_cutoff_is_refused(given: Any) -> None:
    with pytest.raises(DataError, match="E-RI-021"):
        days_of(given, 2)


def test_a_prior_and_directions_must_be_columns_of_numbers() -> None:
    columns = Columns(("a", "kind"), (None, ("x",)))
    assert (place_of(None, columns), place_of("kind", columns)) == (None, 1)
    assert signs_of({"a": 0}, columns) == (0, 0)
    assert signs_of({}, columns) == ()
    with pytest.raises(UsageError, match="E-RI-022 prior: the prior 'b' is no column"):
        place_of("b", columns)
    for wrong in ({"kind": 1}, {"a": 2}, {"b": 1}):
        with pytest.raises(UsageError, match="E-RI-024"):
            signs_of(wrong, columns)


# --- settings of the trees


@few
@given(st.sampled_from(sorted(ALLOWED)), st.one_of(st.integers(-5, 10**8), st.floats(-2, 10**7), st.fractions(-1, 2)))
def test_a_setting_is_allowed_just_where_its_bounds_say(name: str, value: float | Fraction) -> None:
    bound = ALLOWED[name]
    low = value >= bound.low if bound.with_low else value > bound.low
    sound = low and value <= bound.high and (isinstance(value, int) or not bound.is_whole)
    assert bound.admits(value) is sound
    assert (fault_of(name, value) is None) is sound


@pytest.mark.parametrize("value", [True, None, "3", [3], math.nan, math.inf, -math.inf, 3 + 0j])
def test_what_is_no_number_is_no_setting(value: object) -> None:
    assert not any(bound.admits(value) for bound in ALLOWED.values())


@pytest.mark.parametrize(
    ("bound", "english", "chinese"),
    [
        (Bound(2, 4096, is_whole=True), "a whole number from 2 up to 4096", "不小于 2 且不超过 4096 的整数"),
        (Bound(0, 1, with_low=False), "a number above 0 up to 1", "大于 0 且不超过 1 的数值"),
    ],
)
def test_bounds_are_said_in_both_languages(bound: Bound, english: str, chinese: str) -> None:
    assert bound.say() == (english, chinese)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"num_leafs": 4}, "there is no setting 'num_leafs' of trees; did you mean 'num_leaves'"),
        ({"xyz": 4}, "there is no setting 'xyz' of trees; the settings are bagging_fraction, "),
        ({3: 4}, "there is no setting '3' of trees"),
        ({"rounds": 2.0}, "rounds is 2.0; give a whole number from 1 up to 10000"),
        ({"rounds": 5, "feature_fraction": 0}, "feature_fraction is 0; give a number above 0 up to 1"),
        ([("rounds", 5)], "settings are given as list; give a mapping of name to number"),
    ],
)
def test_a_wrong_setting_is_told_with_what_to_do(given: object, words: str) -> None:
    with pytest.raises(UsageError, match="E-RI-074 trees: ") as told:
        check_settings(given)
    assert words in str(told.value)


def test_right_settings_and_none_pass_and_what_is_searched_may_be_set() -> None:
    check_settings(None)
    check_settings({name: int(bound.high) for name, bound in ALLOWED.items()})
    assert set(ALLOWED) > SEARCHED


@pytest.mark.parametrize(
    ("value", "sound"), [(2, True), (np.int64(3), True), (1, False), (2.0, False), (True, False), (None, False)]
)
def test_a_whole_parameter_has_a_least_value(value: object, sound: bool) -> None:
    if sound:
        check_whole("folds", value, 2)
    else:
        with pytest.raises(UsageError, match=r"E-RI-073 folds: folds is .*; give a whole number of at least 2"):
            check_whole("folds", value, 2)
    check_whole("folds", None, 2, none=True)
