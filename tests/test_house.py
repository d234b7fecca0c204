"""The house is as it is drawn: the map is the tree, no two files share a name, each package says what it offers."""

from __future__ import annotations

import re
from collections import Counter
from importlib import import_module
from importlib.util import find_spec

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


def test_each_package_says_what_it_offers_and_has_it() -> None:
    for room in rooms():
        name = ".".join(("tierlens", *room.split("/"))) if room else "tierlens"
        package = import_module(name)
        assert len(package.__all__) == len(set(package.__all__)), name
        missing = [one for one in package.__all__ if not hasattr(package, one) and find_spec(f"{name}.{one}") is None]
        assert missing == [], name


def test_a_package_that_offers_modules_offers_all_of_them() -> None:
    for room in rooms():
        folder = SOURCE / room
        modules = {path.stem for path in folder.glob("*.py")} | {
            path.parent.name for path in folder.glob("*/__init__.py")
        }
        offered = set(import_module(".".join(("tierlens", *filter(None, room.split("/"))))).__all__)
        if offered <= modules and offered:
            assert offered == modules - {"__init__"}, room
