"""The run file: everything that a run needs to know, checked before anything is read."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from tierlens import strict_yaml
from tierlens.errors import SchemeError, UsageError
from tierlens.features.windows import LONGEST, Window, month_starts
from tierlens.publish.lists.activities import ACTIVITIES
from tierlens.publish.lists.bands import BANDS, OwnBands
from tierlens.publish.lists.ranking import WAYS
from tierlens.risk.model.tree_settings import fault_of
from tierlens.sources.declared.source import Source
from tierlens.sources.declared.table_source import foreign_kind
from tierlens.sources.tables import day_date, day_number
from tierlens.words import Text

DATA = (".csv", ".tsv", ".txt", ".gz", ".xlsx", ".xls", ".xlsm", ".ods", ".parquet", ".db", ".sqlite", ".duckdb")
"""Endings of files that hold data, where a run file is due."""


def _date(value: object) -> object:
    """Accept a date written as text; YAML's own dates are not read, so that 2011-6-1 is an error and not a guess."""
    if not isinstance(value, str):
        return value
    try:
        return day_date(day_number(value))
    except UsageError as problem:
        raise strict_yaml.refused_value(problem.what) from None


def _as_float(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value


def _known_settings(trees: dict[str, int | float]) -> dict[str, int | float]:
    """Refuse settings of trees that there are not, or that are out of bounds, with their place in the file."""
    for name, value in trees.items():
        fault = fault_of(name, value)
        if fault is not None:
            what, fix = fault
            raise strict_yaml.refused_value(
                Text(f"{what.en}; {fix.en}", f"{what.zh}；{fix.zh}"), ["risk", "trees", name]
            )
    return trees


Day = Annotated[dt.date, BeforeValidator(_date)]
Share = Annotated[float, BeforeValidator(_as_float), Field(ge=0, le=1)]

LONGEST_NAME = 120
"""Bytes of the name of a list: with ending and the name of a temporary file it stays below what disks allow."""
RESERVED = frozenset({"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))})
"""Names that Windows keeps for devices."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SimulatedSection(_Section):
    """A simulated shop in the place of a source; every output says so."""

    customers: int = Field(default=2000, ge=100, le=10_000_000)
    months: int = Field(default=36, ge=18, le=1200)


class WindowSection(_Section):
    """Days that are looked at, left out and predicted; see :class:`~tierlens.features.windows.Window`."""

    observe: int = Field(default=365, ge=1, le=LONGEST)
    gap: int = Field(default=0, ge=0, le=LONGEST)
    horizon: int = Field(default=90, ge=1, le=LONGEST)


class SegmentSection(_Section):
    """How segments are found: by which features, and how many (chosen by rule where not given)."""

    features: tuple[str, ...] = ()
    n_clusters: int | None = Field(default=None, ge=2, le=1000)


class RiskSection(_Section):
    """How risk is learned.

    Parameters
    ----------
    first_cutoff : date
        First of the monthly cutoffs that are learned from.
    tests : int
        Latest cutoffs with a closed horizon on which the model is tested, each by a model that never saw it.
    trials : int
        Trials of the search for settings, on cutoffs that close before the first tested one; 0 keeps the defaults.
    seeds : int
        Boosters averaged in a model.
    resamples : int
        Bootstrap resamples of customers behind each interval.
    trees : mapping of str to number
        Settings of the churn model's trees that replace the default's, such as those that ``tierlens tune`` found.
    draws : int
        Models learned again for the interval of each customer's risk; 0 leaves the intervals out.
    """

    first_cutoff: Day
    tests: int = Field(default=3, ge=1, le=1000)
    trials: int = Field(default=0, ge=0, le=100_000)
    seeds: int = Field(default=3, ge=1, le=1000)
    resamples: int = Field(default=200, ge=50, le=100_000)
    trees: Annotated[dict[str, Annotated[int | float, BeforeValidator(_as_float)]], AfterValidator(_known_settings)] = (
        Field(default_factory=dict)
    )
    draws: Literal[0] | Annotated[int, Field(ge=4, le=1000)] = 6


def _file_name(name: str) -> str:
    """Return the name of a list as a file can bear it on every system; refuse any other."""
    plain = unicodedata.normalize("NFC", name)
    if re.fullmatch(r"[\w-]+", plain) and len(plain.encode()) <= LONGEST_NAME and plain.upper() not in RESERVED:
        return plain
    raise strict_yaml.refused_value(
        Text(
            f"{name!r} is no name for a file: use letters, digits, _ and -, at most {LONGEST_NAME} bytes",
            f"{name!r} 不能作名单文件名：只用文字、数字、_ 和 -，至多 {LONGEST_NAME} 字节（汉字每字 3 字节）",
        )
    )


def _band(band: object) -> object:
    """Return the id of a risk band that is written in either language and any case."""
    return _id_among(BANDS, band)


def _way(way: object) -> object:
    """Return the id of a way to rank that is written in either language and any case."""
    return _id_among(WAYS, way)


def _activity(activity: object) -> object:
    """Return the id of an activity that is written in either language and any case."""
    return _id_among(ACTIVITIES, activity)


def _id_among(names: Mapping[str, Text], given: object) -> object:
    for key, name in names.items():
        if isinstance(given, str) and given.strip().casefold() in {key, name.en.casefold(), name.zh}:
            return key
    return given


ListBands = tuple[Annotated[Literal["high", "medium", "low"], BeforeValidator(_band)], ...]


class ListSection(_Section):
    """A list for marketing: a name for the file, and who is on it (nothing given: everybody).

    Parameters
    ----------
    name : str
        Letters of any script, digits, ``_`` and ``-``.
    tiers, bands : tuple of str
        Ids or names, in English or Chinese, in any case. ``bands`` are those of the worse of both risks.
    contactable_only : bool
    top : int, optional
        At most so many, the first of them.
    activity : tuple of str
        ``active`` (bought in the window), ``lapsed`` (bought before only), ``prospect`` (never bought).
    churn_bands, downgrade_bands : tuple of str
        Bands of one risk.
    by : {"risk", "value_at_risk"}
        Who comes first: the riskiest, or those with the most money at risk, which is the risk times the amount of the
        window (risk of churn; of downgrade where the list asks for bands of downgrade and none of churn).
    """

    name: Annotated[str, AfterValidator(_file_name)]
    tiers: tuple[str, ...] = ()
    bands: ListBands = ()
    contactable_only: bool = False
    top: int | None = Field(default=None, ge=1)
    activity: tuple[Annotated[Literal["active", "lapsed", "prospect"], BeforeValidator(_activity)], ...] = ()
    churn_bands: ListBands = ()
    downgrade_bands: ListBands = ()
    by: Annotated[Literal["risk", "value_at_risk"], BeforeValidator(_way)] = "risk"


class OwnSection(_Section):
    """Columns of one's own beside the catalog.

    Parameters
    ----------
    file : str
        CSV or Parquet: ``customer_id``, ``cutoff``, and numbers under names of their own.
    computed : str, optional
        Column with the day on which a row was computed; one at or after the cutoff is a leak.
    looks_at : mapping of str to (int, int)
        Days that a column looks at, from and to, counted from the cutoff.
    """

    file: str
    computed: str | None = None
    looks_at: dict[str, tuple[int, int]] = Field(default_factory=dict)


class RunConfig(_Section):
    """A whole run file.

    Parameters
    ----------
    name : str
        What the data are called in every output.
    source : Source, optional
        Where transactions come from and by which rules they are read.
    simulated : SimulatedSection, optional
        A simulated shop; one of the two is given.
    download : str, optional
        Known data set that is fetched into the cache where the files of the source are nowhere.
    otherwise : str, optional
        Run file that takes the place of this one where the data cannot be had at all.
    cutoff : date
        The snapshot that is graded, scored and listed.
    window, segments, risk, lists
        See the sections.
    bands : OwnBands
        Where the bands of each risk begin, by a share of the customers or a fixed risk; those of the playbook (the
        riskiest tenth is high, the next fifth medium) where nothing is given.
    scheme : str
        Name of a shipped scheme, or path of a scheme file.
    own : OwnSection, optional
        Columns of one's own that the model of churn reads too.
    waivers : str, optional
        File of signatures for columns that the leak gate would stop at.
    seed : int
        For everything that draws.
    track : bool
        Whether the run goes to MLflow.
    """

    name: str
    source: Source | None = None
    simulated: SimulatedSection | None = None
    download: Literal["online_retail_II"] | None = None
    otherwise: str | None = None
    cutoff: Day
    window: WindowSection = WindowSection()
    scheme: str = "relationship_rating"
    segments: SegmentSection = SegmentSection()
    risk: RiskSection
    bands: OwnBands = OwnBands()
    lists: tuple[ListSection, ...] = ()
    own: OwnSection | None = None
    waivers: str | None = None
    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    track: bool = True

    @model_validator(mode="after")
    def _hangs_together(self) -> RunConfig:
        if (self.source is None) == (self.simulated is None):
            raise strict_yaml.refused_value(
                Text("give either 'source' or 'simulated'", "请填写 source 或 simulated，二者取一"), []
            )
        if self.risk.first_cutoff >= self.cutoff:
            first = self.risk.first_cutoff
            raise strict_yaml.refused_value(
                Text(
                    f"risk.first_cutoff {first} is not before the cutoff {self.cutoff}",
                    f"risk.first_cutoff {first} 不早于截止日 {self.cutoff}",
                ),
                ["risk", "first_cutoff"],
            )
        _refuse_equal_names([one.name for one in self.lists])
        return self

    @property
    def span(self) -> Window:
        """The window as the value that features take."""
        return Window(self.window.observe, self.window.gap, self.window.horizon)

    @property
    def cutoff_day(self) -> int:
        """Day number of the cutoff."""
        return day_number(self.cutoff)

    def learning_cutoffs(self) -> list[int]:
        """Return the monthly cutoffs whose horizon has closed by the cutoff of the run: all that may be learned from.

        Examples
        --------
        >>> source = {"files": "a.csv", "currency": "CNY"}
        >>> config = RunConfig(name="a", source=source, cutoff="2011-09-01", risk={"first_cutoff": "2011-04-15"})
        >>> [str(day_date(day)) for day in config.learning_cutoffs()]
        ['2011-05-01', '2011-06-01']
        """
        last = day_date(self.cutoff_day - self.window.gap - self.window.horizon)
        return month_starts(self.risk.first_cutoff, last)


def _refuse_equal_names(names: list[str]) -> None:
    """Refuse two lists that would be one file: some disks take capitals and small letters for the same."""
    for place, name in enumerate(names):
        if name.casefold() in (one.casefold() for one in names[:place]):
            told = {"path": ("lists", place, "name"), "zh": f"两份名单同名：{name}；请改名"}
            raise PydanticCustomError("equal_names", f"two lists are called {name}; rename one of them", told)


def load_config(path: Path | str) -> RunConfig:
    """Read a run file; relative paths in it are taken from its own folder.

    Parameters
    ----------
    path : Path or str
        Where the file is. A str is a path, never the text of a run file: for that see :func:`config_of_text`.

    Raises
    ------
    UsageError
        ``E-YA-...`` with file, line, key and the nearest name, when something is wrong in it; ``E-RU-032`` for a file
        of data in its place, ``E-RU-063`` for an address, ``E-RU-062`` for anything that is no path.
    """
    if not isinstance(path, Path | str):
        raise UsageError(
            "E-RU-062",
            Text(f"a path is due, not {type(path).__name__}", f"应给出路径，而不是 {type(path).__name__}"),
            fix=Text(
                "give the path of a run file; for its text call config_of_text",
                "请给出运行文件的路径；文本请用 config_of_text",
            ),
        )
    if (kind := foreign_kind(str(path))) is not None:
        raise UsageError(
            "E-RU-063",
            Text(f"{kind} is an address, not a run file", f"{kind} 是地址，不是运行文件"),
            fix=Text(
                "write a run file (run.yaml) whose source names files, or postgresql://user@host/database",
                "请编写运行文件（run.yaml），其 source 可为文件或 postgresql://用户@主机/数据库",
            ),
        )
    path = Path(path)
    if path.suffix.lower() in DATA:
        raise UsageError(
            "E-RU-032",
            Text("this is a file of data, not a run file", "这是数据文件，不是运行文件"),
            where=str(path),
            fix=Text(
                f"write a run file (run.yaml) that names it, with the lines 'name: Our shop', "
                f"'source: {{files: {path.name}, currency: CNY}}', 'cutoff: \"2025-04-01\"', "
                "'risk: {first_cutoff: \"2024-02-01\"}'",
                f"请编写引用它的运行文件（run.yaml），包含 'name: 我的店'、"
                f"'source: {{files: {path.name}, currency: CNY}}'、'cutoff: \"2025-04-01\"'、"
                "'risk: {first_cutoff: \"2024-02-01\"}' 四行",
            ),
        )
    return _within(_built(path), path.parent)


def config_of_text(text: str, folder: Path | str = ".") -> RunConfig:
    r"""Read the text of a run file; relative paths in it are taken from a folder.

    Examples
    --------
    >>> text = "name: A\nsimulated: {}\ncutoff: '2025-01-01'\nrisk: {first_cutoff: '2024-01-01'}\n"
    >>> config_of_text(text).name
    'A'
    """
    return _within(_built(text), Path(folder))


def _built(source: Path | str) -> RunConfig:
    try:
        return strict_yaml.build_model(RunConfig, source, error=UsageError)
    except SchemeError as problem:  # broken YAML: of a run file that is wrong usage, not bad data
        raise UsageError(problem.code, problem.what, where=problem.where, fix=problem.fix) from None


def _within(config: RunConfig, folder: Path) -> RunConfig:
    """Take the relative paths of a run file from a folder."""
    scheme = folder / config.scheme if config.scheme.endswith((".yaml", ".yml")) else config.scheme
    found: dict[str, object] = {"scheme": str(scheme)}
    found["otherwise"] = str(folder / config.otherwise) if config.otherwise else None
    found["waivers"] = str(folder / config.waivers) if config.waivers else None
    if config.own:
        found["own"] = config.own.model_copy(update={"file": str(folder / config.own.file)})
    return config.model_copy(update=found | ({"source": config.source.under(folder)} if config.source else {}))
