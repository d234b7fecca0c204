"""The house is as it is drawn: the map is the tree, no two files share a name, each package says what it offers."""

from __future__ import annotations

import re
from collections import Counter

from tests.house_map import PAGE, ROOT, SOURCE, first_line, page, rooms

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_the_map_is_the_tree() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.house_map"


def test_contributing_names_every_room() -> None:
    named = set(re.findall(r"^- `([a-z/_]+)`: ", CONTRIBUTING, re.M))
    assert named == {room for room in rooms() if room}


def test_every_file_says_what_it_is() -> None:
    assert not [path for path in SOURCE.rglob("*.py") if len(first_line(path)) < 20]


def test_no_two_files_have_one_name() -> None:
    names = Counter(path.name for path in SOURCE.rglob("*.py") if path.name != "__init__.py")
    assert [name for name, count in names.items() if count > 1] == []
