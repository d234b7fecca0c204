"""Chinese words for what the YAML parser, pydantic and the system say of a file."""

from __future__ import annotations

from pathlib import Path
from string import Formatter

import pytest
import yaml

from tierlens import strict_yaml
from tierlens.errors import SchemeError
from tierlens.yaml_words import FIXES, PARSER, REASONS, parser_reason, unreadable_advice

UNKNOWN = parser_reason("nothing that a parser says")
BROKEN = {
    "a: b: c\n": "此处不能再写“键: 值”（多半是缩进或引号有误）",
    "a: 'x\n": "引号或括号未闭合",
    'a: "\\q"\n': "双引号内的反斜杠写法无效，请改用单引号",
    "a: @x\n": "此处的字符不能作为值的开头，请加引号",
    "a: `x`\n": "此处的字符不能作为值的开头，请加引号",
}


def parsers() -> list[type]:
    return [yaml.SafeLoader, *([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])]


@pytest.mark.parametrize("loader", parsers())
@pytest.mark.parametrize("text", ["a: b: c\n", "a: 'x\n", 'a: "\\q"\n', "a: @x\n", "a: [1, 2\n", "a: {b: 1\n", "a: ]\n",
                                  "- a\nb: 1\n", "a: 1\n  b: 2\n", "x\ny: 1\n", "a: \x07\n"])  # fmt: skip
def test_each_parser_is_understood_where_it_stops(loader: type, text: str) -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        yaml.load(text, Loader=loader)
    said = str(getattr(caught.value, "problem", None) or caught.value)
    assert parser_reason(said) != UNKNOWN


@pytest.mark.parametrize("text", list(BROKEN))
def test_what_a_person_left_open_is_named_in_chinese(text: str) -> None:
    with pytest.raises(SchemeError) as caught:
        strict_yaml.load_yaml(text)
    assert BROKEN[text] in caught.value.say("zh")


def test_no_message_is_taken_for_a_shorter_one_before_it() -> None:
    listed = list(PARSER)
    assert not [other for place, other in enumerate(listed) if any(one in other for one in listed[:place])]


def test_what_is_to_be_filled_in_is_what_the_kind_knows() -> None:
    known = {"input", "expected", "pattern", "ge", "le", "gt", "lt", "min_length", "max_length", "actual_length",
             "max_digits", "decimal_places", "multiple_of"}  # fmt: skip
    asked = {field for text in REASONS.values() for _, field, _, _ in Formatter().parse(text) if field}
    assert asked <= known


def opened(path: Path) -> OSError:
    with pytest.raises(OSError, match=r"file|none|directory") as caught:
        path.read_bytes()
    return caught.value


def test_the_advice_goes_by_what_the_system_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert unreadable_advice(opened(tmp_path / "none")) == FIXES["absent"]
    assert unreadable_advice(opened(tmp_path / "file" / "below")) == FIXES["absent"]
    assert unreadable_advice(opened(tmp_path)) == FIXES["folder"]
    assert unreadable_advice(PermissionError(13, "no")) == FIXES["other"]
    assert unreadable_advice(OSError(5, "disk")) == FIXES["other"]
