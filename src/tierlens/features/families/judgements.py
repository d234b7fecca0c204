"""What people and agencies judge, and who the customer is: the latest judgement known, if it is not too old."""

from __future__ import annotations

from typing import Literal

import narwhals as nw

from tierlens.features.families.event_rows import TWO_YEARS
from tierlens.features.feature import Direction, Feature
from tierlens.features.windows import trailing_rows
from tierlens.words import Text

RATING_AGE = TWO_YEARS
"""Days after which a rating is no longer believed."""
SURVEY_AGE = 365
"""Days after which an answer is no longer believed: a survey of another year says little of this one."""


def rating_feature(
    name: str,
    of: str,
    title: Text,
    unit: str,
    dimension: str,
    direction: Direction,
    family: str = "ratings",
) -> Feature:
    """Return the feature of a rating: its word where ``unit`` is text, else its number.

    Examples
    --------
    >>> from tierlens.words import Text
    >>> rating_feature("credit_rating", "credit_rating", Text("rating", "评级"), "text", "credit", "up").missing
    'not judged in 730 days'
    """
    column: Literal["value", "score"] = "value" if unit == "text" else "score"
    newest = (nw.col("name") == of) & (nw.col("rank") == nw.col("latest")) & trailing_rows(RATING_AGE)
    return Feature(
        name, title, unit, dimension, direction,
        f"latest rating {of!r} known at the cutoff, judged in the {RATING_AGE} days before it; of two of one day the "
        "one recorded last, else the larger",
        f"not judged in {RATING_AGE} days", "ratings", lambda _: nw.when(newest).then(nw.col(column)).max(),
        family=family, tables=("ratings",),
    )  # fmt: skip


def answer_feature(
    name: str, question: str, title: Text, dimension: str = "loyalty", family: str = "surveys"
) -> Feature:
    """Return the feature of a survey's question.

    Examples
    --------
    >>> from tierlens.words import Text
    >>> answer_feature("nps", "nps", Text("NPS", "NPS")).tables
    ('surveys',)
    """
    newest = (nw.col(f"{question}_rank") == nw.col(f"{question}_latest")) & trailing_rows(SURVEY_AGE)
    return Feature(
        name, title, "score", dimension, "up",
        f"latest answer to {question!r} known at the cutoff, given in the {SURVEY_AGE} days before it; of two of one "
        "day the one recorded last, else the larger",
        f"no answer in {SURVEY_AGE} days", "surveys", lambda _: nw.when(newest).then(nw.col(question)).max(),
        family=family, tables=("surveys",),
    )  # fmt: skip


def customer_column(name: str, title: Text, unit: str = "text", direction: Direction = "none") -> Feature:
    """Return a column of the customer table as it held at the cutoff.

    Examples
    --------
    >>> from tierlens.words import Text
    >>> customer_column("industry", Text("industry", "行业")).plane
    'customers'
    """
    holds = nw.col("rank") == nw.col("latest")
    return Feature(
        name, title, unit, "potential", direction,
        f"{name} in the customer's row that held at the cutoff: the one of the latest day, and of those the one "
        "recorded last",
        "not known", "customers", lambda _: nw.when(holds).then(nw.col(name)).max(), family="profile",
        tables=("customers",),
    )  # fmt: skip


def _growth() -> nw.Expr:
    """Head count now against two years before; both must be dated, and the newer one must be newer than that."""
    dated = nw.col("employees_before") > 0
    now, before = nw.col("employees_now").cast(nw.Float64), nw.col("employees_before").cast(nw.Float64)
    return nw.when(dated).then(now / before - 1.0)


def _either() -> nw.Expr:
    judged = nw.col("expansion_judged")
    return nw.when(~judged.is_null()).then(judged).otherwise(nw.col("expansion_counted"))


def _heads(rank: str, condition: nw.Expr) -> nw.Expr:
    return nw.when((nw.col("rank") == nw.col(rank)) & condition).then(nw.col("employees")).max()


FEATURES: tuple[Feature, ...] = (
    rating_feature(
        "profit_contribution", "profit_contribution", Text("profit contribution", "利润贡献率"), "share", "value", "up",
    ),
    rating_feature(
        "industry_growth", "industry_growth", Text("industry growth", "行业增长率"), "share", "potential", "up",
    ),
    rating_feature(
        "industry_outlook", "industry_outlook", Text("industry outlook", "行业发展前景"), "text", "potential", "up",
    ),
    rating_feature(
        "business_growth", "business_growth", Text("growth of the customer's business", "业务增长趋势"), "share",
        "potential", "up",
    ),
    rating_feature(
        "new_business_likelihood", "new_business_likelihood",
        Text("likelihood of new lines of business", "拓展新业务可能性"), "text", "potential", "up",
    ),
    rating_feature(
        "new_demand_fit", "new_demand_fit", Text("fit with new demand", "新需求匹配度"), "score", "potential", "up",
    ),
    rating_feature(
        "expansion_judged", "expansion_2y", Text("expansion as judged by sales", "销售评估的客户扩张速度"), "share",
        "potential", "up",
    ),
    rating_feature("dependence", "dependence", Text("dependence", "依赖度"), "text", "loyalty", "up"),
    rating_feature("demand_kind", "demand_kind", Text("kind of demand", "需求类型"), "text", "service", "none"),
    customer_column("industry", Text("industry", "行业")),
    customer_column("industry_section", Text("industry (section of GB/T 4754)", "行业门类（GB/T 4754）")),
    customer_column("company_size", Text("size of the company", "企业规模")),
    customer_column("employees", Text("employees", "员工人数"), "people", "up"),
    Feature(
        "employees_now", Text("employees, counted in the last 2 years", "近2年内登记的员工人数"), "people", "potential",
        "up", "employees in the row that held at the cutoff, where it began in the 729 days before it",
        "no head count of the last 2 years", "customers", lambda _: _heads("latest", trailing_rows(TWO_YEARS - 1)),
        family="profile", tables=("customers",),
    ),
    Feature(
        "employees_before", Text("employees 2 years before", "2年前的员工人数"), "people", "potential", "none",
        "employees in the row that held 730 days before the cutoff, where it says from when it held",
        "no dated head count of two years ago", "customers", lambda _: _heads("old_latest", trailing_rows(1 << 19)),
        family="profile", tables=("customers",),
    ),
    Feature(
        "expansion_counted", Text("growth of the head count over 2 years", "近2年员工人数增长率"), "share",
        "potential", "up", "employees_now / employees_before - 1", "no two dated head counts 2 years apart", "derived",
        lambda _: _growth(), needs=("employees_now", "employees_before"), family="profile", tables=("customers",),
    ),
    Feature(
        "expansion_2y", Text("expansion speed of the customer (last 2 years)", "客户规模扩张速度（近2年）"), "share",
        "potential", "up", "expansion_judged, or else expansion_counted", "neither is known", "derived",
        lambda _: _either(), needs=("expansion_judged", "expansion_counted"), family="profile", tables=(), either=True,
    ),
)  # fmt: skip
