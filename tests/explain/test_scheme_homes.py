"""Every feature of the catalog has a home under each scheme or says why not, and well-known ones the documents' own."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierlens.explain.contributions import Contributions, dimension_of, importance
from tierlens.explain.phrases import FAMILIES
from tierlens.explain.quantities import APART, NEAR, SPLIT, TITLES, quantity_of, quantity_title
from tierlens.explain.scheme_homes import OUTSIDE, SCORE, Home, by_dimension_of, home_lines, homes_of, main
from tierlens.features.catalog import WHOLE
from tierlens.grading.scheme.grammar import columns_of
from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names
from tierlens.learning.tasks import STANDING
from tierlens.words import Text

SCHEMES = {name: load_scheme(name) for name in scheme_names()}
HOMES = {name: homes_of(scheme) for name, scheme in SCHEMES.items()}
every_scheme = pytest.mark.parametrize("name", SCHEMES)

OUT = (OUTSIDE, None, None)
# Read from the documents (spec/documented-schemes.md), weights multiplied out by hand: dimension, indicator, share.
GOLDEN: dict[str, dict[str, tuple[str, str | None, float | None]]] = {
    "relationship_rating": {
        "monetary": ("value", "annual_amount", 0.30 * 0.30),
        "spend_year": ("value", "annual_amount", 0.09),
        "amount_90": ("value", "annual_amount", 0.09),
        "average_order_value": ("value", "order_value", 0.09),
        "frequency": ("value", "frequency", 0.0),
        "orders_90": ("value", "frequency", 0.0),
        "recency_days": ("value", "frequency", 0.0),
        "overdue_ratio": ("value", "frequency", 0.0),
        "profit_contribution": ("value", "profit_contribution", 0.30 * 0.40),
        "tenure_days": ("stability", "tenure", 0.25 * 0.25),
        "renewal_rate": ("stability", "renewal_rate", 0.25 * 0.40),
        "contracts_decided_2y": ("stability", "renewal_rate", 0.10),
        "contract_fulfilment": ("stability", "contract_fulfilment", 0.0),
        "complaints_12m": ("stability", "complaints", 0.25 * 0.35),
        "major_complaints_90": ("stability", "complaints", 0.0875),
        "complaint_rate": ("stability", "complaints", 0.0875),
        "enquiries_per_month": ("service", "enquiries", 0.20 * 0.30),
        "custom_requests_6m": ("service", "custom_requests", 0.20 * 0.50),
        "service_satisfaction": ("service", "service_satisfaction", 0.20 * 0.20),
        "industry_growth": ("potential", "industry_growth", 0.25 * 0.30),
        "expansion_2y": ("potential", "expansion", 0.25 * 0.40),
        "growth_yoy": ("potential", "expansion", 0.10),
        "new_demand_fit": ("potential", "new_demand_fit", 0.25 * 0.30),
        "new_product_share": ("potential", "new_demand_fit", 0.075),
        "nps": OUT,
        "days_late_mean": OUT,
        "interactions_per_month": OUT,
    },
    "tiered_management": {
        "monetary": ("value", "amount", 0.30),
        "amount_half": ("value", "amount", 0.30),
        "returned": ("value", "amount", 0.30),
        "frequency": ("value", "frequency", 0.10),
        "recency_days": ("value", "frequency", 0.10),
        "overdue_ratio": ("value", "frequency", 0.10),
        "sea_p0": ("value", "frequency", 0.10),
        "profit_contribution": ("value", "profit_contribution", 0.10),
        "industry_outlook": ("potential", "industry_outlook", 0.10),
        "business_growth": ("potential", "business_growth", 0.10),
        "growth_yoy": ("potential", "business_growth", 0.10),
        "new_business_likelihood": ("potential", "new_business", 0.10),
        "credit_rating": ("credit", "credit_rating", 0.05),
        "on_time_share": ("credit", "payment_record", 0.05),
        "days_late_mean": ("credit", "payment_record", 0.05),
        "overdue_share": ("credit", "payment_record", 0.05),
        "financial_position_rank": ("credit", "financial_position", 0.05),
        "repeat_rate": ("loyalty", "repeat_rate", 0.02),
        "repeat_share": ("loyalty", "repeat_rate", 0.02),
        "recommend_score": ("loyalty", "recommendation", 0.02),
        "nps": ("loyalty", "recommendation", 0.02),
        "brand_regard": ("loyalty", "brand_regard", 0.01),
        "complaints_12m": OUT,
        "tenure_days": OUT,
        "renewal_rate": OUT,
    },
    "five_step": {
        "recency_days": ("rfm", "recency", 1 / 3),
        "overdue_ratio": ("rfm", "recency", 1 / 3),
        "frequency": ("rfm", "frequency", 1 / 3),
        "orders_90": ("rfm", "frequency", 1 / 3),
        "sea_p0": ("rfm", "frequency", 1 / 3),
        "monetary": ("rfm", "monetary", 1 / 3),
        "amount_90": ("rfm", "monetary", 1 / 3),
        "average_order_value": ("rfm", "monetary", 1 / 3),
        "tenure_days": ("label_stage", None, None),
        "growth_yoy": OUT,
        "complaints_12m": OUT,
        "nps": OUT,
        "days_late_mean": OUT,
    },
    "relationship_guide": {
        "orders_180": ("rfm", "r", 0.0),
        "frequency": ("rfm", "r", 0.0),
        "monetary": ("rfm", "f", 0.0),
        "average_order_value": ("rfm", "m", 0.0),
        "idle_months_6": ("health", "stability", 0.25),
        "recency_days": ("health", "stability", 0.25),
        "overdue_ratio": ("health", "stability", 0.25),
        "interactions_per_month": ("health", "interaction", 0.25),
        "visits_12m": ("health", "interaction", 0.25),
        "nps": ("health", "satisfaction", 0.25),
        "service_satisfaction": ("health", "satisfaction", 0.25),
        "complaints_12m": ("health", "satisfaction", 0.25),
        "dependence": ("health", "dependence", 0.25),
        "tenure_days": ("label_stage", None, None),
        "demand_kind": ("label_demand", None, None),
        "industry": ("tag_industry", None, None),
        "company_size": ("tag_size", None, None),
        "growth_yoy": OUT,
        "days_late_mean": OUT,
        "credit_rating": OUT,
    },
    "classification_standard": {
        "monetary": ("label_scale", None, None),
        "employees": ("label_scale", None, None),
        "tenure_days": ("label_lifecycle", None, None),
        "spend_year": ("label_lifecycle", None, None),
        "amount_90": ("label_lifecycle", None, None),
        "growth_yoy": ("label_lifecycle", None, None),
        "industry_section": ("label_industry", None, None),
        "demand_kind": ("tag_demand", None, None),
        "frequency": OUT,
        "recency_days": OUT,
        "complaints_12m": OUT,
        "nps": OUT,
        "days_late_mean": OUT,
    },
}
COUNTS = {  # of 173: with an indicator, outside
    "classification_standard": (0, 117), "five_step": (100, 72), "relationship_guide": (118, 47),
    "relationship_rating": (144, 29), "tiered_management": (139, 34),
}  # fmt: skip


def dimensions_of(scheme: Scheme) -> set[str]:
    """Every dimension that a home may name under a scheme."""
    named = [("label", scheme.labels), ("trigger", scheme.triggers), ("tag", scheme.tags)]
    states = {f"{kind}_{part.id}" for kind, parts in named for part in parts}
    return {dimension.id for dimension in scheme.dimensions} | states | {OUTSIDE, SCORE}


@every_scheme
def test_every_feature_has_a_home_or_says_why_not(name: str) -> None:
    scheme, homes = SCHEMES[name], HOMES[name]
    assert list(homes) == list(WHOLE)
    shares = {i.id: (d.id, float(scheme.shares[i.id]), i.source) for d, i in scheme.indicators}
    for feature, home in homes.items():
        assert home.dimension in dimensions_of(scheme), feature
        if home.indicator is not None:
            assert (home.dimension, home.weight, home.clause) == shares[home.indicator]
        else:
            assert home.weight is None
            assert bool(home.clause) is not home.is_outside
        if home.is_outside:
            assert home.why.en.startswith("the scheme does not score this (")


@every_scheme
def test_titles_and_reasons_stand_in_both_languages(name: str) -> None:
    for home in HOMES[name].values():
        for text in (home.title, home.dimension_title, home.why):
            assert text.en
            assert any("一" <= letter <= "鿿" or text.zh.isascii() for letter in text.zh)
        assert any("一" <= letter <= "鿿" for letter in home.why.zh)


@every_scheme
def test_every_indicator_is_home_to_the_feature_that_it_reads(name: str) -> None:
    scheme, homes = SCHEMES[name], HOMES[name]
    read = Counter(i.feature for _, i in scheme.indicators)
    assert max(read.values(), default=1) == 1
    for dimension, indicator in scheme.indicators:
        home = homes[indicator.feature]
        assert (home.indicator, home.dimension) == (indicator.id, dimension.id)
        if indicator.proxy is not None:
            assert homes[indicator.proxy.feature].indicator == indicator.id


@every_scheme
def test_nothing_that_the_scheme_reads_is_outside_it(name: str) -> None:
    scheme, homes = SCHEMES[name], HOMES[name]
    assert [column for column in scheme.features if homes[column].is_outside] == []
    read = {column for label in scheme.labels for rule in label.rules for column in columns_of(rule.when)}
    assert [column for column in read if column in homes and homes[column].is_outside] == []


@every_scheme
def test_well_known_features_stand_where_the_document_has_them(name: str) -> None:
    found = {one: HOMES[name][one] for one in GOLDEN[name]}
    for feature, (dimension, indicator, weight) in GOLDEN[name].items():
        home = found[feature]
        assert (home.dimension, home.indicator) == (dimension, indicator), feature
        assert home.weight == (None if weight is None else pytest.approx(weight, abs=1e-12)), feature


@every_scheme
def test_how_many_have_an_indicator_and_how_many_are_outside(name: str) -> None:
    homes = list(HOMES[name].values())
    scored, outside = (sum(test) for test in ([h.indicator is not None for h in homes], [h.is_outside for h in homes]))
    assert (scored, outside) == COUNTS[name]


def test_a_label_that_decides_the_tier_is_named_where_an_indicator_reads_the_same() -> None:
    why = HOMES["relationship_guide"]["monetary"].why
    assert why == Text("the indicator reads it; tiers go by the label Value, which reads it too",
                       "该指标直接读取；等级由标签“客户价值”决定，该标签也读取此项")  # fmt: skip
    assert HOMES["relationship_rating"]["growth_yoy"].why.en == "the indicator reads it by proxy"


def test_without_proxies_what_would_stand_in_measures_what_it_measures() -> None:
    data = SCHEMES["tiered_management"].model_dump(by_alias=True)
    scheme = Scheme.model_validate({**data, "id": "own", "use_proxies": False})
    homes = homes_of(scheme)
    assert homes["growth_yoy"].is_outside
    assert homes["repeat_share"].indicator == "repeat_rate"
    assert homes["repeat_share"].why.en.startswith("it measures the same")


def test_own_columns_are_outside_and_say_so() -> None:
    homes = homes_of(SCHEMES["five_step"], extra=["mine", "frequency"])
    assert homes["mine"] == Home(None, OUTSIDE, Text("mine", "mine"), Text("outside the scheme", "方案之外"), "", None,
                                 Text("a column of your own", "自有列"))  # fmt: skip
    assert homes["frequency"].indicator == "frequency"


def test_a_scheme_that_reads_an_own_column_gives_it_a_home() -> None:
    data = SCHEMES["five_step"].model_dump(by_alias=True)
    data["features"]["esg"] = {"name": "ESG", "label": "ESG", "unit": "score"}
    asked = data["dimensions"][0]["indicators"][0]
    own = {**asked, "id": "esg", "name": "ESG", "label": "ESG", "feature": "esg", "direction": "up"}
    data["dimensions"][0]["indicators"] = (*data["dimensions"][0]["indicators"], own)
    home = homes_of(Scheme.model_validate({**data, "id": "own"}), extra=["esg"])["esg"]
    assert (home.indicator, home.weight) == ("esg", pytest.approx(1 / 4))


@every_scheme
def test_what_is_made_of_the_score_belongs_to_it_or_to_the_label_of_the_tiers(name: str) -> None:
    scheme = SCHEMES[name]
    due = SCORE if scheme.tier_by == "score" else f"label_{scheme.tier_by}"
    assert {home.dimension for home in homes_of(scheme, STANDING).values()} == {due}


def test_what_is_declared_is_whole_and_names_what_there_is() -> None:
    placed = [name for names in APART.values() for name in names]
    assert len(placed) == len(set(placed))
    assert set(placed) <= set(WHOLE)
    assert [name for name, feature in WHOLE.items() if feature.family in SPLIT and name not in placed] == []
    known = {quantity_of(name) for name in WHOLE}
    assert set(NEAR) <= known
    assert {other for near in NEAR.values() for other, _ in near} <= known
    assert set(TITLES) <= known
    assert all(quantity in TITLES or quantity in FAMILIES for quantity in known)
    assert all(why.en and why.zh for near in NEAR.values() for _, why in near)
    assert quantity_title("mine") == Text("mine", "mine")


NAMES = ("recency_days", "monetary", "complaints_12m", "tenure_days", "mine")


@every_scheme
@given(values=st.lists(st.lists(st.floats(-3, 3), min_size=5, max_size=5), min_size=1, max_size=8))
@settings(max_examples=10, deadline=None)
def test_sums_by_the_dimensions_of_a_scheme_keep_the_log_odds(name: str, values: list[list[float]]) -> None:
    found = Contributions(values, 0.5, NAMES)
    summed = found.by(by_dimension_of(SCHEMES[name], extra=["mine"]))
    assert np.allclose(summed.log_odds(), found.log_odds(), atol=1e-9)
    assert set(summed.names) <= dimensions_of(SCHEMES[name])


def test_importance_by_the_dimensions_and_indicators_of_a_scheme() -> None:
    found = Contributions([[0.5, -0.25, 0.25, 0.1, 0.05]], 0.0, (*NAMES[:4], "unheard_of"))
    homes = HOMES["tiered_management"]
    rows = importance(found, homes=homes).to_pylist()
    at = {level: {row["name"]: row for row in rows if row["level"] == level} for level in ("dimension", "indicator")}
    assert {name: round(row["mean_abs"], 9) for name, row in at["dimension"].items()} == {
        "outside": 0.35, "value": 0.25, "other": 0.05,
    }  # fmt: skip
    assert {name: round(row["mean_abs"], 9) for name, row in at["indicator"].items()} == {
        "frequency": 0.5, "outside": 0.35, "amount": 0.25, "other": 0.05,
    }  # fmt: skip
    assert at["dimension"]["value"]["title_zh"] == "价值贡献"
    assert at["dimension"]["outside"]["title_en"] == "outside the scheme"
    assert at["dimension"]["other"]["title_zh"] == "其他"
    assert at["indicator"]["amount"]["title_zh"] == "年度购买金额"
    without = importance(found).to_pylist()
    assert {row["level"] for row in without} == {"feature", "family", "dimension"}
    assert [row for row in rows if row["level"] in ("feature", "family")] == [
        row for row in without if row["level"] != "dimension"
    ]
    assert dimension_of("unheard_of", homes=homes) == "other"
    assert dimension_of("monetary", homes=homes) == dimension_of("monetary") == "value"


def test_the_table_of_a_scheme_is_printed_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    main(["five_step"])
    english = capsys.readouterr().out.splitlines()
    counts = "173 features, 100 with an indicator, 1 with a label, trigger or tag, 72 outside the scheme"
    assert english[0] == f"Five steps to tiered customer management: {counts}"
    assert len([line for line in english if line]) == 1 + len(WHOLE)
    main(["five_step", "--lang", "zh"])
    chinese = capsys.readouterr().out
    assert chinese.splitlines()[:-1] == home_lines(SCHEMES["five_step"], "zh")
    assert "方案未对此评分" in chinese
    main([])
    assert capsys.readouterr().out.count("173 features") == 5
