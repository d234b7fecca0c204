"""A kept model is plain files, comes back to the last bit, and is refused when anything was touched."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.risk.shop import snapshots
from tierlens.errors import DataError
from tierlens.risk.model.classifier import RiskClassifier


@pytest.fixture(scope="module")
def shop():
    return snapshots(customers=150)


@pytest.fixture(scope="module", params=["snapshots", "flat"])
def model(request, shop):
    if request.param == "snapshots":
        return RiskClassifier(prior="prior", n_jobs=1, seeds=2).fit(shop.X, shop.y, cutoffs=shop.cutoffs)
    return RiskClassifier(n_jobs=1, seeds=1, folds=2).fit(shop.X, shop.y)


def test_it_comes_back_to_the_last_bit(model, shop, tmp_path):
    again = RiskClassifier.load(model.save(tmp_path / "model"))
    assert (again.predict_proba(shop.X) == model.predict_proba(shop.X)).all()
    options = {"cutoffs": shop.cutoffs, "base_rate": {0: 0.3}}
    assert (again.predict_proba(shop.X, **options) == model.predict_proba(shop.X, **options)).all()
    one, two = (found.contributions(shop.X, cutoffs=shop.cutoffs) for found in (again, model))
    assert (one.values == two.values).all()
    assert (one.base == two.base).all()
    assert again.get_params() == model.get_params()


def test_keeping_twice_gives_the_same_bytes(model, tmp_path):
    folders = [model.save(tmp_path / name) for name in ("one", "two")]
    again = RiskClassifier.load(folders[0]).save(tmp_path / "three")
    names = sorted(path.name for path in folders[0].iterdir())
    for folder in (folders[1], again):
        assert sorted(path.name for path in folder.iterdir()) == names
        assert all((folder / name).read_bytes() == (folders[0] / name).read_bytes() for name in names)


def test_nothing_in_it_is_pickled(model, tmp_path):
    folder = model.save(tmp_path)
    assert {path.suffix for path in folder.iterdir()} == {".json", ".npy", ".txt"}
    for path in folder.glob("*.npy"):
        assert np.load(path, allow_pickle=False).dtype == np.float64


def test_a_changed_file_is_refused(model, tmp_path):
    folder = model.save(tmp_path)
    curves = folder / "curves.npy"
    curves.write_bytes(curves.read_bytes()[:-1] + b"\x00")
    with pytest.raises(DataError, match=r"E-RI-030 .*curves.npy: this is not the model that was kept: its checksum"):
        RiskClassifier.load(folder)


def test_a_missing_file_is_refused(model, tmp_path):
    folder = model.save(tmp_path)
    next(folder.glob("trees_*.txt")).unlink()
    with pytest.raises(DataError, match=r"E-RI-030 .*trees_.*no such file"):
        RiskClassifier.load(folder)
    with pytest.raises(DataError, match=r"E-RI-030 .*model.json"):
        RiskClassifier.load(tmp_path / "nowhere")


def test_a_name_may_not_lead_out_of_the_folder(model, tmp_path):
    folder = model.save(tmp_path / "model")
    (tmp_path / "secret.txt").write_text("x")
    told = json.loads((folder / "model.json").read_text())
    told["sha256"]["../secret.txt"] = "0"
    (folder / "model.json").write_text(json.dumps(told))
    with pytest.raises(DataError, match="E-RI-030"):
        RiskClassifier.load(folder)


def test_another_format_is_refused(model, tmp_path):
    folder = model.save(tmp_path)
    told = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**told, "format": 99}))
    with pytest.raises(DataError, match=r"E-RI-030 .*format 99"):
        RiskClassifier.load(folder)
