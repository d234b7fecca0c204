"""Bad YAML, case by case (57-63 and 68 of the catalogue), and what good YAML becomes."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core._pydantic_core import list_all_errors

from tierlens import strict_yaml
from tierlens.errors import SchemeError, UsageError
from tierlens.yaml_words import REASONS

BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 30))

REFUSED = [
    ("A: 8\nB: 2\nA: 1\n", "E-YA-009", "f.yaml:3:1: key 'A' is there twice (lines 1 and 3)"),
    ("x:\n  k: 1\n  'k': 2\n", "E-YA-009", "lines 2 and 3"),
    ("v: 010\n", "E-YA-011", "'010' can be read in two ways"),
    ("v: 1:30\n", "E-YA-011", "'1:30'"),
    ("v: 1_000\n", "E-YA-011", "'1_000'"),
    ("v: 1e3\n", "E-YA-011", "plain decimal such as 1000"),
    ("v: 1.5E-3\n", "E-YA-011", "f.yaml:1:4"),
    ("v: 0x1F\n", "E-YA-011", "0x1F"),
    ("v: 0o17\n", "E-YA-011", "0o17"),
    ("v: +5\n", "E-YA-011", r"'+5'"),
    ("v: .5\n", "E-YA-011", "'.5'"),
    ("v: 5.\n", "E-YA-011", "'5.'"),
    ("v: .nan\n", "E-YA-011", ".nan"),
    ("v: [.inf, -.inf]\n", "E-YA-011", ".inf"),
    ("v: !!python/object/apply:os.system ['true']\n", "E-YA-008", "tags are refused"),
    ("v: !!str 5\n", "E-YA-008", "tags are refused"),
    (BOMB, "E-YA-007", "anchors and aliases are refused"),
    ("a: *b\n", "E-YA-007", "('b')"),
    ("v: " + "[" * 5000, "E-YA-006", "at most 20 levels"),
    ("v: " + "{a: " * 5000, "E-YA-006", "nested too deeply"),
    ("", "E-YA-005", "f.yaml: it is empty"),
    ("# only a comment\n", "E-YA-005", "it is empty"),
    ("a: 1\n---\nb: 2\n", "E-YA-005", "f.yaml:2:1: a second document"),
    ("a:\n\tb: 1\n", "E-YA-004", "a tab indents this line; use spaces"),
    ("a: [1, 2\n", "E-YA-003", "it is no YAML"),
    ("a: b: c\n", "E-YA-003", "f.yaml:1:"),
    ("a: \x07\n", "E-YA-003", "it is no YAML"),
    ("true: 1\n", "E-YA-010", "key 'true' is no text; put it in quotes"),
    ("? [a]\n: 1\n", "E-YA-010", "is no text"),
    ("? \n: 1\n", "E-YA-010", "is no text"),
]


@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
@pytest.mark.parametrize(("text", "code", "words"), REFUSED)
def test_bad_yaml_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, loader, text, code, words):
    monkeypatch.setattr(strict_yaml._Builder.__init__, "__defaults__", (loader,))
    with pytest.raises(SchemeError) as told:
        strict_yaml.load_yaml(text, "f.yaml")
    assert told.value.code == code
    assert words in str(told.value)
    assert "\n" not in str(told.value)
    assert "f.yaml" in told.value.say("zh")


READ = [
    ("v: no", "no"),
    ("v: on", "on"),
    ("v: off", "off"),
    ("v: yes", "yes"),
    ("v: True", "True"),
    ("v: true", True),
    ("v: false", False),
    ("v: 'true'", "true"),
    ("v: 12", 12),
    ("v: -3", -3),
    ("v: 0", 0),
    ("v: 0.10", Decimal("0.10")),
    ("v: -0.5", Decimal("-0.5")),
    ("v: '010'", "010"),
    ("v: 2026-01-05", "2026-01-05"),
    ("v: 365d", "365d"),
    ("v: 1.2.3", "1.2.3"),
    ("v:", None),
    ("v: ~", None),
    ("v: null", None),
    ("v: ''", ""),
    ("v: |\n  two\n  lines\n", "two\nlines\n"),
    ("v: 客户", "客户"),
]


@pytest.mark.parametrize(("text", "value"), READ)
def test_a_value_is_what_was_written(text, value):
    got = strict_yaml.load_yaml(text)["v"]
    assert got == value
    assert type(got) is type(value)


def test_keys_are_text_even_where_they_look_like_numbers():
    assert strict_yaml.load_yaml("5: 10\nno: 3\n010: 1\n") == {"5": 10, "no": 3, "010": 1}


def test_twenty_levels_are_read():
    assert strict_yaml.load_yaml("[" * 20 + "]" * 20) is not None


def test_sum_of_ten_tenths_is_one():
    assert sum(strict_yaml.load_yaml("[" + ", ".join(["0.1"] * 10) + "]")) == 1


def test_a_file_of_more_than_a_megabyte_is_refused(tmp_path: Path):
    big = tmp_path / "big.yaml"
    big.write_text("# " + "x" * 1_000_000)
    with pytest.raises(SchemeError, match=r"E-YA-002 .*larger than 1,000,000 bytes"):
        strict_yaml.load_yaml(big)
    with pytest.raises(SchemeError, match="E-YA-002"):
        strict_yaml.load_yaml(big.read_text())


def test_an_unreadable_file_is_told(tmp_path: Path):
    with pytest.raises(SchemeError, match=r"E-YA-001 .*none.yaml: it cannot be read: .*; check the path"):
        strict_yaml.load_yaml(tmp_path / "none.yaml")
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("a: 客户".encode("gb18030"))
    with pytest.raises(SchemeError, match="it is not UTF-8; save it as UTF-8"):
        strict_yaml.load_yaml(latin)
    with pytest.raises(SchemeError, match=r"E-YA-001 .*: it cannot be read: .*; name a file in it"):
        strict_yaml.load_yaml(tmp_path)


@pytest.mark.parametrize("text", ["", "a: 1\n---\nb: 2\n", "a: [1, 2\n", "v: !!str 5\n", "a:\n\tb: 1\n"])
def test_every_refusal_of_yaml_says_what_to_do(text: str):
    with pytest.raises(SchemeError) as caught:
        strict_yaml.load_yaml(text)
    assert caught.value.fix is not None
    assert re.search("[一-鿿]", caught.value.fix.zh)


def test_a_byte_order_mark_is_dropped(tmp_path: Path):
    file = tmp_path / "bom.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert strict_yaml.load_yaml(file) == {"a": 1}


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    weight: int


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str
    parts: dict[str, Inner] = {}


def test_a_misspelt_key_is_told_with_place_and_nearest_name():
    text = "name: x\nparts:\n  a:\n    wieght: 3\n"
    with pytest.raises(SchemeError, match=r"f.yaml:4:13: there is no key 'wieght' here; did you mean 'weight'\?"):
        strict_yaml.build_model(Outer, text, "f.yaml")


def test_a_hint_names_a_key_of_the_same_section_or_lists_its_keys():
    class Inner(BaseModel):
        model_config = ConfigDict(extra="forbid")
        files: str
        tables: int = 0

    class Outer(BaseModel):
        model_config = ConfigDict(extra="forbid")
        customers: int = 0
        source: Inner | None = None
        lists: tuple[Inner, ...] = ()

    with pytest.raises(SchemeError, match=r"no key 'customers' here; the keys here are files, tables$"):
        strict_yaml.build_model(Outer, "source:\n  files: a\n  customers: 3\n")
    with pytest.raises(SchemeError, match=r"no key 'table' here; did you mean 'tables'"):
        strict_yaml.build_model(Outer, "lists:\n  - files: a\n    table: 3\n")


def test_what_does_not_fit_is_told_in_both_languages():
    class Plain(BaseModel):
        model_config = ConfigDict(extra="forbid")
        name: str
        tests: int = Field(default=1, ge=1)
        kind: Literal["a", "b"] = "a"

    said = {}
    for text in ("tests: 1\n", "name: x\ntests: 0\n", "name: x\ntests: two\n", "name: x\nkind: c\n"):
        with pytest.raises(SchemeError) as caught:
            strict_yaml.build_model(Plain, text)
        said[caught.value.what.en] = caught.value.what.zh
    assert said == {
        "name: Field required": "name：必须填写",
        "tests: Input should be greater than or equal to 1": "tests：0 小于 1",
        "tests: Input should be a valid integer, unable to parse string as an integer": "tests：'two' 不是整数",
        "kind: Input should be 'a' or 'b'": "kind：'c' 不在允许的取值之内：'a' or 'b'",
    }


def test_a_boolean_where_text_is_due_is_refused_with_the_error_asked_for():
    with pytest.raises(UsageError, match=r"E-YA-020 <text>:1:7: name: .*string"):
        strict_yaml.build_model(Outer, "name: true\n", error=UsageError)


def test_a_document_is_built_and_knows_places():
    document = strict_yaml.read_yaml("name: x\nparts: {a: {weight: 3}}\n", "f.yaml")
    assert strict_yaml.build_model(Outer, document).parts["a"].weight == 3
    assert document.place(["parts", "a", "weight"]) == "f.yaml:2:21"
    assert document.place([]) == "f.yaml:1:1"


leaves = st.booleans() | st.integers(-(10**12), 10**12) | st.text(st.characters(codec="utf-8"), max_size=12) | st.none()
trees = st.recursive(
    leaves,
    lambda tree: st.lists(tree, max_size=3) | st.dictionaries(st.text(max_size=6), tree, max_size=3),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=6), trees, max_size=5))
def test_json_is_yaml_and_comes_back_as_it_was(data):
    written = json.dumps(data)
    if "\\ud" not in written:  # characters beyond the basic plane, which JSON alone writes as two halves
        assert strict_yaml.load_yaml(written) == data


def test_every_chinese_reason_can_be_filled() -> None:
    kinds = {each["type"]: each.get("example_context") or {} for each in list_all_errors()}
    for kind, words in REASONS.items():
        assert words.format(input="x", **kinds.get(kind, {}))
