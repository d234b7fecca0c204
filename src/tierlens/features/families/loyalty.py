"""Loyalty: what customers say of us. From surveys."""

from __future__ import annotations

from tierlens.features.families.judgements import answer_feature
from tierlens.features.feature import Feature
from tierlens.words import Text

FEATURES: tuple[Feature, ...] = (
    answer_feature("nps", "nps", Text("latest NPS", "最近一次NPS")),
    answer_feature("recommend_score", "recommend", Text("willingness to recommend (0-10)", "推荐意愿（0-10分）")),
    answer_feature("survey_satisfaction", "satisfaction", Text("satisfaction (1-5)", "满意度（1-5分）"), "service"),
    answer_feature("brand_regard", "regard", Text("regard for brand and product (1-5)", "品牌及产品认可度（1-5分）")),
)
