"""Measure the house's budgets: lengths of files and functions, arguments, tests against code, start-up times."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
import time
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


def main() -> None:
    """Print the table."""
    files = lines_of("src")
    functions = [entry for path in files for entry in bodies(path)]
    lengths = [length for _, length, _ in functions]
    longest, widest = max(functions, key=lambda f: f[1]), max(functions, key=lambda f: f[2])
    sizes = sorted(files.values())
    rows = [
        ("files", f"{len(files)}", ""),
        ("file, median lines", f"{statistics.median(sizes):.0f}", "200"),
        ("file, p90 lines", f"{p90(sizes):.0f}", "400"),
        ("file, longest", f"{max(sizes)} ({max(files, key=lambda path: files[path]).name})", "400"),
        ("functions", f"{len(functions)}", ""),
        ("function body, median lines", f"{statistics.median(lengths):.0f}", ""),
        ("function body, p90 lines", f"{p90(lengths):.0f}", "28"),
        ("function body, longest", f"{longest[1]} ({longest[0]})", ""),
        ("arguments, most", f"{widest[2]} ({widest[0]})", "8"),
        ("test lines per code line", f"{code_lines('tests') / code_lines('src'):.2f}", "1.0-1.4"),
        ("import tierlens", f"{seconds(sys.executable, '-c', 'import tierlens'):.2f} s", "0.1 s"),
        ("tierlens --help", f"{seconds(str(Path(sys.executable).parent / 'tierlens'), '--help'):.2f} s", "0.5 s"),
    ]
    width = max(len(row[0]) for row in rows)
    print(f"{'what':{width}}  {'measured':40}  budget")
    for what, measured, budget in rows:
        print(f"{what:{width}}  {measured:40}  {budget}")


if __name__ == "__main__":
    main()
