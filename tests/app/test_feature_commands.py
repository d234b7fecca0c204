"""``tierlens features``: the catalog as a person meets it, its page, and the audit of one's own data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tierlens.app.cli import feature_commands as commands
from tierlens.app.cli.main import main
from tierlens.features.audit import Audit, Breach
from tierlens.features.catalog import DIMENSIONS, WHOLE
from tierlens.features.catalog_page import catalog_page, listed_features, tables_of, titled_entry
from tierlens.features.laws import LAWS

DOCS = Path(__file__).parents[2] / "docs" / "features.md"
SHOP = """
name: Shop
simulated: {customers: 100, months: 18}
cutoff: "2024-06-01"
risk: {first_cutoff: "2024-03-01"}
"""


def test_the_page_of_features_is_up_to_date() -> None:
    assert DOCS.read_text("utf-8") == catalog_page(), "run 'tierlens features docs'"


def test_the_page_holds_every_feature_once_in_both_languages() -> None:
    lines = catalog_page().splitlines()
    for name, feature in WHOLE.items():
        row = [line for line in lines if line.startswith(f"| `{name}` |")]
        assert len(row) == 1
        assert feature.title.en in row[0]
        assert feature.title.zh in row[0]
    assert len([line for line in lines if line.startswith("## ")]) == len(DIMENSIONS)


def test_docs_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["features", "docs", "--to", str(tmp_path / "new" / "f.md")]) == 0
    assert (tmp_path / "new" / "f.md").read_text("utf-8") == catalog_page()
    assert "f.md" in capsys.readouterr().out


def test_list_of_a_dimension_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["features", "list", "--lang", "zh", "--dimension", "loyalty"]) == 0
    said = capsys.readouterr().out
    assert "重复购买率" in said
    assert "越多越好" in said
    assert "近90天购买金额" not in said


def test_every_dimension_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["features", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == set(WHOLE)
    assert {one["dimension"] for one in found.values()} == set(DIMENSIONS)
    assert found["complaint_rate"]["tables"] == ["transactions", "tickets"]


def test_a_dimension_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["features", "list", "--dimension", "worth"]) == 2
    assert "E-FE-004 --dimension: there is no dimension 'worth'; there are value" in capsys.readouterr().err


def test_show_and_a_slip(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["features", "show", "btyd_expected", "--lang", "zh"]) == 0
    assert "由截止日已知的全体客户学得" in capsys.readouterr().out
    assert main(["features", "show", "recency_day"]) == 2
    assert "did you mean recency_days?" in capsys.readouterr().err
    assert main(["features", "show", "recency"]) == 2
    assert "did you mean recency_days?" in capsys.readouterr().err


@pytest.mark.parametrize("name", WHOLE)
def test_every_entry_can_be_shown(name: str) -> None:
    for lang in ("en", "zh"):
        found = titled_entry(WHOLE[name], lang)
        assert all(found.values())
    assert tables_of(WHOLE[name])
    assert WHOLE[name] in listed_features(WHOLE[name].dimension)


@pytest.fixture
def shop(tmp_path: Path) -> str:
    path = tmp_path / "run.yaml"
    path.write_text(SHOP, encoding="utf-8")
    return str(path)


def test_an_audit_of_honest_features_passes(
    shop: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tierlens.features.audit.audit_features.__kwdefaults__", {**_defaults(), "laws": LAWS[:1]})
    assert main(["features", "audit", shop, "--customers", "30"]) == 0
    said = capsys.readouterr().out
    assert "future_dropped" in said
    assert "every feature keeps every law, on 30 customers" in said


def _defaults() -> dict[str, object]:
    from tierlens.features.audit import audit_features

    return dict(audit_features.__kwdefaults__ or {})


def test_an_audit_that_fails_says_where_and_leaves_with_3(
    shop: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    breach = Breach("rows_shuffled", "first_amount", 19000, "A1", 3, 4, 9)
    found = Audit(30, (19000,), tuple((law, 5, 0) for law in LAWS), (breach,))
    monkeypatch.setattr("tierlens.features.audit.audit_features", lambda *_, **__: found)
    assert main(["features", "audit", shop]) == 3
    assert "first_amount breaks rows_shuffled" in capsys.readouterr().out
    assert main(["features", "audit", shop, "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert not told["passed"]
    assert told["laws"]["rows_shuffled"] == {"kept": 4, "broken": 1, "exempt": 0}
    assert commands.PAGE.name == "features.md"
