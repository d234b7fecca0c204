"""Fixtures that every layer shares."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# One run is like another; TIERLENS_EXPLORE=1 draws new examples each time.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile("explore" if os.environ.get("TIERLENS_EXPLORE") else "steady")

# Before anything imports LightGBM or NumPy: small data are quicker on one thread, and neighbours are not disturbed.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# The first test that starts Spark sets the workers' Python for all tests of its process.
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ.setdefault("MPLCONFIGDIR", tempfile.gettempdir())


def data_folder() -> Path | None:
    """Where the real data are: TIERLENS_DATA, else ../shared/data beside the project."""
    named = os.environ.get("TIERLENS_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def retail_files() -> list[Path]:
    """The two sheets of Online Retail II."""
    folder = data_folder()
    files = sorted((folder / "online_retail_II").glob("*.parquet")) if folder else []
    if len(files) != 2:
        pytest.skip("needs Online Retail II: set TIERLENS_DATA to the folder that holds online_retail_II/")
    return files


@pytest.fixture(scope="session")
def cdnow_file() -> Path:
    """Fader and Hardie's sample of CDNOW."""
    folder = data_folder()
    file = folder / "cdnow" / "CDNOW_sample.txt" if folder else None
    if file is None or not file.is_file():
        pytest.skip("needs the CDNOW sample: set TIERLENS_DATA to the folder that holds cdnow/")
    return file


# Skips that CI accepts, each for a reason that no machine of ours can mend; any other skip fails the run there.
EXPECTED_SKIPS = (
    "SCIPY_ARRAY_API",  # scikit-learn's own check of array libraries that are not installed
    "root may read every file",  # no permission can be taken from root, and CI runs as root
    "initdb",  # a PostgreSQL server, where Debian's package cannot be had
)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run of CI in which a test was skipped that ought to have run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get("TIERLENS_CI") or reporter is None or hasattr(session.config, "workerinput"):
        return
    reasons = [str(report.longrepr) for report in reporter.stats.get("skipped", [])]
    unexpected = [reason for reason in reasons if not any(word in reason for word in EXPECTED_SKIPS)]
    for reason in unexpected:
        reporter.write_line(f"unexpected skip: {reason}", red=True)
    if unexpected:
        session.exitstatus = 1
