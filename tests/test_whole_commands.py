"""Whole commands at the edges: names as long as the system allows, two at once, a signal in each of a run's steps."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.commands import state
from tests.tiny_shop import write_shop

SAID = "interrupted; what was there before is intact\n"
LONGEST = "r" * 255
"""A name may have 255 bytes."""
STEPS = {
    "reading the source": signal.SIGINT, "building features and grading": signal.SIGTERM,
    "learning churn": signal.SIGINT, "writing tables, models and lists": signal.SIGTERM,
    "drawing and writing the report": signal.SIGINT,
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    write_shop(folder)
    return folder


def started(shop: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tierlens", *arguments]
    return subprocess.Popen(command, cwd=shop, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def ended(shop: Path, *arguments: str) -> tuple[int, str]:
    process = started(shop, *arguments)
    said = process.communicate(timeout=300)[1]
    return process.returncode, said


@pytest.mark.slow
def test_names_of_255_bytes(shop: Path) -> None:
    place = shop / "long" / LONGEST
    for _ in range(2):
        assert ended(shop, "run", "run.yaml", "--out", str(place), "--force")[0] == 0
    for name, force in ((f"{'l' * 251}.csv", ()), (f"{'l' * 251}.csv", ("--force",)), (f"{'客' * 83}.xlsx", ())):
        code, said = ended(shop, "list", str(shop / "long" / name), "--out", str(place), *force)
        assert code == 0, said
    assert len(list((shop / "long").iterdir())) == 3


@pytest.mark.slow
def test_two_runs_into_one_folder_at_once(shop: Path) -> None:
    place = shop / "both" / "run"
    assert ended(shop, "run", "run.yaml", "--out", str(place))[0] == 0
    clean = state(place)
    both = [started(shop, "run", "run.yaml", "--out", str(place), "--force") for _ in range(2)]
    said = [one.communicate(timeout=300)[1] for one in both]
    assert sorted(one.returncode for one in both) in ([0, 4], [0, 0]), said
    assert all("E-RU-003" in text for one, text in zip(both, said, strict=True) if one.returncode == 4)
    assert state(place) == clean
    assert [path.name for path in place.parent.iterdir()] == ["run"]


@pytest.mark.slow
@pytest.mark.parametrize(("step", "number"), list(STEPS.items()))
def test_a_signal_in_each_step_of_a_run(shop: Path, step: str, number: signal.Signals) -> None:
    place = shop / "stopped" / "run"
    run = started(shop, "run", "run.yaml", "--out", str(place))
    assert run.stderr is not None
    seen = []
    for line in run.stderr:
        seen.append(line)
        if line.startswith(step):
            run.send_signal(number)
            break
    else:
        raise AssertionError(f"no step {step!r} in {seen}")
    rest = run.communicate(timeout=60)[1]
    assert run.returncode == 128 + number
    assert rest.endswith(SAID)
    assert "Traceback" not in rest
    assert not place.parent.exists()
