"""Cases 57-69: scheme files."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from pathlib import Path

from tests.bad_inputs.kit import Case, Do, Got, Probe, expect, refusal_of
from tests.grading.test_scoring import TINY
from tierlens import strict_yaml
from tierlens.grading.scheme.scheme import Scheme, load_scheme
from tierlens.grading.scoring import grade

BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 30))


def _refuse(text: str, code: str, place: str | None = None) -> Do:
    """Return a probe: a scheme file of this text is refused."""

    def call(folder: Path) -> Got:
        path = folder / "s.yaml"
        path.write_text(text, encoding="utf-8")
        got = refusal_of(lambda: load_scheme(path), code)
        found = got.place.removeprefix(f"{folder}/")
        expect(True, found.startswith(place or "s.yaml"), f"place {found} of {place}")
        return Got(got.codes, found)

    return Do(call)


def _with(good: str, bad: str, code: str = "E-YA-020", place: str | None = None) -> Do:
    expect(True, good in TINY, f"the scheme has {good!r}")
    return _refuse(TINY.replace(good, bad, 1), code, place)


def _take(change: Callable[[str], str], says: Callable[[Scheme], object], due: object) -> Do:
    """Return a probe: a scheme file is read, and says what was written."""

    def call(folder: Path) -> Got:
        expect(due, says(strict_yaml.build_model(Scheme, change(TINY))), "what the scheme says")
        return Got()

    return Do(call)


def _at_the_bound(folder: Path) -> Got:
    """A sum of weighted points that is 80 by the document and 79.99999999 in binary is 80."""
    import pyarrow as pa

    from tierlens.features.snapshot import to_arrow
    from tierlens.sources.tables import Currency
    from tierlens.workspace.prepare import arrow_as_frame

    scheme = load_scheme("relationship_rating")
    names = [f"points_{indicator.id}" for _, indicator in scheme.indicators]
    key = {"customer_id": ["C1"], "cutoff": pa.array([20000], pa.int32())}
    table = pa.table({**key, **{name: [8.0] for name in names}})
    (row,) = to_arrow(grade(arrow_as_frame(table), scheme, Currency("CNY"))).to_pylist()
    expect((80.0, "B"), (row["score"], row["tier"]), "score and tier")
    return Got()


def _passes_for_another(folder: Path) -> Got:
    """A file with id and version of a scheme of the package, and another number in it."""
    text = resources.files("tierlens.grading").joinpath("schemes", "five_step.yaml").read_text("utf-8")
    path = folder / "ours.yaml"
    path.write_text(text.replace("borderline_share: 0.05", "borderline_share: 0.06"), encoding="utf-8")
    got = refusal_of(lambda: load_scheme(path), "E-SC-005")
    return Got(got.codes, Path(got.place).name)


AMBIGUOUS: tuple[Probe, ...] = tuple(
    _with("weight: 0.5", f"weight: {word}", "E-YA-011", "s.yaml:26:")
    for word in ("010", "1:30", "1_000", "1e3", "0x1F")
)
NO_NUMBERS: tuple[Probe, ...] = (
    _with("weight: 0.5", "weight: .nan", "E-YA-011", "s.yaml:26:"),
    _with("weight: 0.5", "weight: .inf", "E-YA-011", "s.yaml:26:"),
    _with("weight: 0.5", "weight: -0.5", place="s.yaml:26:"),
)
NO_FILES: tuple[Probe, ...] = (
    _refuse("", "E-YA-005"),
    _refuse("# only a comment\n", "E-YA-005"),
    _refuse("a: 1\n---\nb: 2\n", "E-YA-005", "s.yaml:2:1"),
    _refuse("a:\n\tb: 1\n", "E-YA-004", "s.yaml:2:1"),
    _refuse("- a\n- b\n", "E-YA-020"),
    _refuse("only words\n", "E-YA-020"),
)

CASES = (
    Case(57, "a key twice", "REJECT with both lines", (_refuse("A: 8\nB: 2\nA: 1\n", "E-YA-009", "s.yaml:3:1"),)),
    Case(58, "no, on; true where text is due", "KEEP as text; REJECT",
         (_take(lambda t: t.replace("ordinal: {AAA: 10, B: 4}", "ordinal: {no: 1, on: 10}"),
                lambda s: list(list(s.indicators)[1][1].ordinal or {}), ["no", "on"]),
          _with("name: Tiny", "name: true"))),
    Case(59, "010, 1:30, 1_000, 1e3, 0x1F", "REJECT", AMBIGUOUS),
    Case(60, "a tag that would run code", "REJECT",
         (_refuse("v: !!python/object/apply:os.system ['true']\n", "E-YA-008", "s.yaml:1:4"),)),
    Case(61, "aliases that unfold to 10^9 leaves", "REJECT", (_refuse(BOMB, "E-YA-007", "s.yaml:1:"),)),
    Case(62, "5,000 brackets", "REJECT", (_refuse("v: " + "[" * 5000, "E-YA-006"),)),
    Case(63, ".nan, .inf, a negative weight", "REJECT", NO_NUMBERS),
    Case(64, "weights that sum to 0.99 or 50.5; ten tenths", "REJECT; KEEP",
         (_with("weight: 0.5", "weight: 0.49"), _with("weight: 0.5", "weight: 50"),
          _take(lambda t: t.replace("weight: 0.5", "weight: 2") + "normalise_weights: true\n",
                lambda s: str(sum(s.shares.values())), "1"))),
    Case(65, "tiers with gaps, overlaps, in wrong order", "REJECT",
         (_with("at_least: 50, source", "at_least: 60, source"), _with("below: 50, source", "below: 60, source"),
          _with("at_least: 50, source", "at_least: 50, below: 100, source"))),
    Case(66, "a score at the bound, made of floats", "KEEP exact", (Do(_at_the_bound),)),
    Case(67, "a feature that is not there; wieght", "REJECT with the nearest name",
         (_with("weight: 0.5", "wieght: 0.5", place="s.yaml:26:17"),
          _with("feature: monetary", "feature: monetery"))),
    Case(68, "an empty file, two documents, a tab, no mapping", "REJECT", NO_FILES),
    Case(69, "id and version of another scheme, other content", "REJECT", (Do(_passes_for_another),)),
)  # fmt: skip
