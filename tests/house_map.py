"""The map of the code, made from its docstrings: ``python -m tests.house_map`` writes docs/map.md."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "tierlens"
PAGE = ROOT / "docs" / "map.md"
HEAD = """# The map of the code

Made from the first line of each docstring by `python -m tests.house_map`; a test compares it with the tree.
Rooms stand in the order of the imports: a room may import those below it, never one above (`lint-imports` checks it).
"""
ORDER = ("", "app", "app/cli", "api", "pipeline", "review", "learning", "workspace", "publish", "publish/documents",
         "publish/report", "publish/lists", "publish/tracking", "publish/files", "explain", "grading",
         "grading/next_tier", "grading/workbook", "grading/scheme", "segments", "risk", "risk/evaluation", "risk/model",
         "risk/kernel", "datasets", "datasets/simulate", "features", "features/families", "sources", "sources/report",
         "sources/cleaning", "sources/staging", "sources/parsing", "sources/declared", "sources/messages")  # fmt: skip


def first_line(path: Path) -> str:
    """Return the first paragraph of a module's docstring, on one line."""
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split())


def rooms() -> list[str]:
    """Return the packages, in the order of the imports."""
    found = {path.parent.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py")}
    return sorted((room.replace(".", "", 1) if room == "." else room for room in found), key=ORDER.index)


def lines() -> Iterator[str]:
    """Yield the page."""
    yield HEAD
    for room in rooms():
        folder = SOURCE / room
        about = first_line(folder / "__init__.py")
        yield f"## `{room or 'tierlens'}`\n\n{about}\n"
        for path in sorted(folder.glob("*.py")):
            if path.name != "__init__.py":
                yield f"- `{path.name}`: {first_line(path)}"
        yield ""


def page() -> str:
    """Return the whole page."""
    return "\n".join(lines()).rstrip("\n") + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}\n")
