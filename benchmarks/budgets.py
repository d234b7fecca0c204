"""Measure the house's budgets: lengths, arguments, complexity, repeated lines, tests against code, start-up times.

``make check`` runs it with ``--no-times``, because times depend on what else the machine does.
"""

from __future__ import annotations

import ast
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

ROOT = Path(__file__).parents[1]


def lines_of(folder: str) -> dict[Path, int]:
    """Return lines of each Python file of a folder."""
    return {path: len(path.read_text("utf-8").splitlines()) for path in sorted((ROOT / folder).rglob("*.py"))}


def bodies(path: Path) -> list[tuple[str, int, int]]:
    """Return name, lines of the body (without its docstring) and arguments of every function of a file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            length = (body[-1].end_lineno or 0) - body[0].lineno + 1
            arguments = len([a for a in (*node.args.args, *node.args.kwonlyargs) if a.arg not in ("self", "cls")])
            found.append((f"{path.name}:{node.name}", length, arguments))
    return found


def p90(values: list[int]) -> float:
    """Return the 90th percentile."""
    return statistics.quantiles(values, n=10)[-1]


def seconds(*command: str) -> float:
    """Return the best of three times of a command."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return min(times)


def code_lines(folder: str) -> int:
    """Count lines that are neither blank, comment nor docstring."""
    total = 0
    for path in lines_of(folder):
        tree = ast.parse(path.read_text("utf-8"))
        skipped: set[int] = set()
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                skipped.update(range(node.lineno, (node.end_lineno or 0) + 1))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            total += bool(line.strip()) and not line.strip().startswith("#") and number not in skipped
    return total


def public_functions() -> list[tuple[str, bool]]:
    """Return name and whether it has a docstring of each public function and method of a public class."""
    found = []
    for path in lines_of("src"):
        for node in ast.parse(path.read_text("utf-8")).body:
            inner = node.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_") else [node]
            found += [
                (one.name, ast.get_docstring(one) is not None)
                for one in inner
                if isinstance(one, ast.FunctionDef) and not one.name.startswith("_")
            ]
    return found


def names_twice() -> int:
    """Count names that several files have."""
    names = Counter(path.name for path in lines_of("src") if path.name != "__init__.py")
    return sum(count > 1 for count in names.values())


def too_complex() -> int:
    """Count functions whose complexity (McCabe's, as ruff counts it) is above 8."""
    command = (sys.executable, "-m", "ruff", "check", "--select", "C901", "--output-format", "json", "src")
    return len(json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout))


def plain_lines(path: Path) -> list[str]:
    """Return the lines of a file without blanks, comments, docstrings and imports."""
    text, skipped = path.read_text("utf-8"), set[int]()
    for node in ast.walk(ast.parse(text)):
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_text or isinstance(node, ast.Import | ast.ImportFrom):
            skipped.update(range(node.lineno, (node.end_lineno or 0) + 1))
    stripped = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return [line for number, line in stripped if line and not line.startswith("#") and number not in skipped]


def repeated_pairs(least: int = 6) -> int:
    """Count pairs of places where at least so many lines of code that follow each other are the same."""
    places: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    files = [plain_lines(path) for path in lines_of("src")]
    for file, lines in enumerate(files):
        for start in range(len(lines) - least + 1):
            places.setdefault(tuple(lines[start : start + least]), []).append((file, start))
    found = 0
    for same in places.values():
        for (file, start), (other, at) in combinations(same, 2):
            # A pair whose lines before are the same too was counted where it begins.
            goes_on = start and at and files[file][start - 1] == files[other][at - 1]
            found += not goes_on
    return found


def measured(with_times: bool = True) -> Iterator[tuple[str, float, str, tuple[float, float] | None]]:
    """Yield what is measured: its name, the figure, what is written of it, and the bounds of its budget."""
    files = lines_of("src")
    functions = [entry for path in files for entry in bodies(path)]
    # The options of a command are no arguments that anybody has to remember in order.
    called = [entry for path in files if path.parent.name != "cli" for entry in bodies(path)]
    lengths = [length for _, length, _ in functions]
    longest, widest = max(functions, key=lambda f: f[1]), max(called, key=lambda f: f[2])
    sizes = sorted(files.values())
    public = public_functions()
    words = statistics.mean(len(name.split("_")) for name, _ in public)
    documented = statistics.mean(has for _, has in public)
    tests = code_lines("tests") / code_lines("src")
    largest = max(files, key=lambda path: files[path]).name
    complex_ones, repeated = too_complex(), repeated_pairs() / sum(sizes) * 1000
    yield "files", len(files), f"{len(files)}", None
    yield "file, median lines", statistics.median(sizes), f"{statistics.median(sizes):.0f}", (0, 200)
    yield "file, p90 lines", p90(sizes), f"{p90(sizes):.0f}", (0, 400)
    yield "file, longest", max(sizes), f"{max(sizes)} ({largest})", (0, 400)
    yield "file names twice", names_twice(), f"{names_twice()}", (0, 0)
    yield "functions", len(functions), f"{len(functions)}", None
    yield "function body, median lines", statistics.median(lengths), f"{statistics.median(lengths):.0f}", None
    yield "function body, p90 lines", p90(lengths), f"{p90(lengths):.0f}", (0, 28)
    yield "function body, longest", longest[1], f"{longest[1]} ({longest[0]})", None
    yield "arguments, most (commands apart)", widest[2], f"{widest[2]} ({widest[0]})", (0, 8)
    yield "functions of complexity above 8", complex_ones, f"{complex_ones}", (0, 0)
    yield "repeated pairs per 1,000 lines", repeated, f"{repeated:.2f}", (0, 0.5)
    yield "public functions with docstring", documented, f"{documented:.1%}", (0.999, 1)
    yield "words in public function names", words, f"{words:.2f}", (1.8, 9)
    yield "test lines per code line", tests, f"{tests:.2f}", (0.9, 9)
    if with_times:
        yield from start_up_times()


def start_up_times() -> Iterator[tuple[str, float, str, tuple[float, float] | None]]:
    """Yield how long Python takes to import tierlens, and the command line to say what it offers."""
    started = seconds(sys.executable, "-c", "import tierlens")
    yield "import tierlens", started, f"{started:.2f} s", (0, 0.1)
    helped = seconds(str(Path(sys.executable).parent / "tierlens"), "--help")
    yield "tierlens --help", helped, f"{helped:.2f} s", (0, 0.5)


def main() -> int:
    """Print the table; return 1 where a budget is missed."""
    missed = 0
    print(f"{'what':34}{'measured':32}{'budget':16}")
    for what, figure, told, bounds in measured("--no-times" not in sys.argv[1:]):
        is_missed = bounds is not None and not bounds[0] <= figure <= bounds[1]
        budget = "" if bounds is None else f"{bounds[0]:g} to {bounds[1]:g}"
        print(f"{what:34}{told:32}{budget:16}{'missed' if is_missed else ''}".rstrip())
        missed += is_missed
    return min(missed, 1)


if __name__ == "__main__":
    raise SystemExit(main())
