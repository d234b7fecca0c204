"""Tags in the words of the scheme, on both engines."""

from __future__ import annotations

from tests.grading.conftest import Lazy, rows_of
from tests.grading.test_scoring import YUAN, keyed
from tierlens.grading.scheme.scheme import load_scheme
from tierlens.grading.scoring import grade


def test_a_tag_is_in_the_words_of_the_label_that_knows_it(lazy: Lazy):
    written = ["product", "服务", "定制需求", "产品升级", "a [part]", "serviceable", None]
    rows = rows_of(grade(lazy(keyed(demand_kind=written)), load_scheme("relationship_guide"), YUAN))
    due = ["产品需求", "服务需求", "定制需求", "产品升级", "a (part)", "serviceable"]
    assert [row["tags"] for row in rows] == [*(f"[需求:{word}]" for word in due), ""]
