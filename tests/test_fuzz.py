"""Whatever stands in a run file or on the command line ends in a documented exit code, never in a fault of tierlens."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.full_size import sized
from tests.tiny_shop import write_shop
from tierlens.app.cli import main

CODES = {0, 1, 2, 3, 4, 5}
FEW, MANY = 30, sized(1000)
LOOSE = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large)
WHOLE: dict[str, Any] = {
    "name": "Fuzzed", "cutoff": "2025-08-01", "scheme": "tiered_management", "seed": 1, "track": False,
    "source": {
        "files": "few.csv", "currency": "CNY", "timezone": "Asia/Shanghai",
        "columns": {"customer_id": "customer_id", "amount": "amount"},
        "policies": {"reject_limit": 0.5, "non_products": {"pattern": "^POST"}},
        "tables": {"customers": "customers.csv"},
    },
    "window": {"observe": 365, "gap": 0, "horizon": 90},
    "segments": {"n_clusters": 2, "features": ["recency_days"]},
    "risk": {"first_cutoff": "2025-01-01", "tests": 1, "seeds": 1, "draws": 0, "resamples": 50,
             "trees": {"rounds": 3, "num_leaves": 4}},
    "lists": [{"name": "everybody", "tiers": ["A"], "bands": ["high"], "top": 3, "by": "value_at_risk",
               "churn_bands": ["high", "low"], "downgrade_bands": ["medium"]}],
    "bands": {"churn": {"high": {"share": 0.1}, "medium": {"at_least": 0.3}}},
}  # fmt: skip
JUNK: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12),
        st.sampled_from([2**31, -1, 10**30, 1e308, "2025-02-30", "9999-12-31", "0001-01-01", "2025-08-01", "高价值", "",
                         " ", "1e5", "no", "~", "../../x", "a.yaml", "\u202e", "{", "*x", "(", "[a-"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every place of a nested value as its holder and its key."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [found for key in keys for found in ((value, key), *places(value[key]))]


@st.composite
def run_files(draw: st.DrawFn) -> str:
    """Draw the text of a run file: a valid one with a few slips."""
    whole = copy.deepcopy(WHOLE)
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(places(whole)))
        slip = draw(st.sampled_from(["value", "value", "misspelt", "gone", "more"]))
        if slip == "value":
            holder[key] = draw(JUNK)
        elif isinstance(holder, list) or slip == "gone":
            del holder[key]
        elif slip == "misspelt":
            place = draw(st.integers(0, len(str(key))))
            holder[str(key)[:place] + draw(st.text(max_size=2)) + str(key)[place + 1 :]] = holder.pop(key)
        else:
            holder[draw(st.text(max_size=8))] = draw(JUNK)
        if not places(whole):
            break
    text = json.dumps(whole, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    if draw(st.integers(0, 4)) == 0:
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.text(max_size=4)) + text[place:]
    return text


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Stand in a folder with a small shop, a finished run of it, and files of other kinds."""
    folder, before = tmp_path_factory.mktemp("fuzz"), Path.cwd()
    write_shop(folder)
    orders = (folder / "orders.csv").read_text(encoding="utf-8").splitlines()
    (folder / "few.csv").write_text("\n".join(orders[:30]) + "\n", encoding="utf-8")
    (folder / "notes.txt").write_bytes(b"\xff\x00 notes")
    (folder / "folder").mkdir()
    os.chdir(folder)
    assert main.main(["run", "run.yaml", "--out", "done"]) == 0
    yield folder
    os.chdir(before)


def ended(arguments: list[str]) -> None:
    """Run a command in this process; hold its end to what is documented."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main.main(arguments)
    said = err.getvalue()
    assert code in CODES, (code, arguments, said)
    assert "E-IN-000" not in said, (arguments, said)
    assert "Traceback" not in said, (arguments, said)


def through_run_files(text: str) -> None:
    Path("fuzzed.yaml").write_text(text, encoding="utf-8", errors="surrogatepass")
    ended(["run", "fuzzed.yaml", "--dry-run", "--no-track"])
    ended(["read", "fuzzed.yaml", "--check"])


def commands() -> dict[str, list[str]]:
    """Return every command with its options, but the one that serves pages."""
    found: dict[str, list[str]] = {}

    def collect(command: Any, before: str) -> None:
        for name, inner in getattr(command, "commands", {}).items():
            collect(inner, f"{before} {name}".strip())
        if not hasattr(command, "commands"):
            found[before] = [option for one in command.params for option in one.opts if option.startswith("--")]

    collect(typer.main.get_command(main.app), "")
    return {name: options for name, options in found.items() if name != "mlflow"}


COMMANDS = commands()
# No separators: what is written stays in the folder. No NUL: the system hands none over.
NAMES = st.text(st.characters(exclude_characters="/\\\0", exclude_categories=["Cs"]), max_size=8)
VALUES = st.one_of(
    NAMES,
    st.sampled_from(
        [
            "run.yaml",
            "done",
            "done",
            "folder",
            "notes.txt",
            "orders.csv",
            "none.yaml",
            "new",
            "l.csv",
            "x.xlsx",
            "C01",
            "tiered_management",
            "2025-08-01",
            "2025-06-01",
            "1",
            "-1",
            "nan",
            "high",
            "A",
            "zh",
            "en",
            "churn",
            "downgrade",
            "9" * 40,
        ]
    ),
)


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """Draw a command with arguments and options, some of which fit."""
    name = draw(st.sampled_from(sorted(COMMANDS)))
    given = name.split() + draw(st.lists(VALUES, max_size=3))
    for option in draw(st.lists(st.sampled_from([*COMMANDS[name], "--lang"]), max_size=3)):
        if option in {"--engine", "--budget", "--trials"}:
            continue
        given.append(option)
        if draw(st.booleans()):
            given.append(draw(VALUES))
    short = {"run": ["--dry-run"], "tune": ["--budget", "0", "--trials", "1", "--no-track"]}
    return given + short.get(name, [])


@settings(max_examples=FEW, deadline=None, derandomize=True, suppress_health_check=LOOSE)
@given(text=run_files())
def test_a_run_file_with_slips_is_told_what_is_wrong(shop: Path, text: str) -> None:
    through_run_files(text)


@settings(max_examples=FEW, deadline=None, derandomize=True, suppress_health_check=LOOSE)
@given(arguments=command_lines())
def test_any_command_line_ends_as_documented(shop: Path, arguments: list[str]) -> None:
    ended(arguments)


@pytest.mark.slow
@settings(max_examples=MANY, deadline=None, suppress_health_check=LOOSE)
@given(text=run_files())
def test_many_run_files_with_slips(shop: Path, text: str) -> None:
    through_run_files(text)


@pytest.mark.slow
@settings(max_examples=MANY, deadline=None, suppress_health_check=LOOSE)
@given(arguments=command_lines())
def test_many_command_lines(shop: Path, arguments: list[str]) -> None:
    ended(arguments)
