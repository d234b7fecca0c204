"""Everybody who is known at a cutoff: who buys, who bought before, who never did, and whether each is graded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tierlens.words import Text

if TYPE_CHECKING:
    import pyarrow as pa

ACTIVITIES: dict[str, Text] = {
    "active": Text("active", "活跃"),
    "lapsed": Text("lapsed", "沉睡"),
    "prospect": Text("prospect", "潜在"),
}
"""Whether a customer bought in the window, before it only, or never; in this order everywhere."""

MEANING: dict[str, Text] = {
    "active": Text("bought in the window", "窗口内有购买"),
    "lapsed": Text("bought before, not in the window", "以前购买过，窗口内未购买"),
    "prospect": Text("known, never bought", "已知客户，从未购买"),
}
PLURALS: dict[str, str] = {"active": "active", "lapsed": "lapsed", "prospect": "prospects"}


@dataclass(frozen=True)
class Ungraded:
    """Why some customers have no tier, and how many they are."""

    why: Text
    customers: int


@dataclass(frozen=True)
class KnownLine:
    """The customers of one activity.

    Parameters
    ----------
    activity : str
        A key of ``ACTIVITIES``.
    customers : int
    by_tier : tuple of int
        Customers of each tier, in the order of ``Known.tiers``.
    ungraded : tuple of Ungraded
        The others, by the reason why they have no tier.
    """

    activity: str
    customers: int
    by_tier: tuple[int, ...]
    ungraded: tuple[Ungraded, ...] = ()

    @property
    def graded(self) -> int:
        """Customers with a tier."""
        return sum(self.by_tier)

    @property
    def name(self) -> Text:
        """What the activity is called."""
        return ACTIVITIES[self.activity]

    @property
    def meaning(self) -> Text:
        """What the activity means."""
        return MEANING[self.activity]

    @property
    def told(self) -> Text:
        """Say how many are graded, and why the others are not."""
        parts = [Text(f"{self.graded:,} graded", f"已评级 {self.graded:,}")] if self.graded else []
        parts += [
            Text(f"{one.customers:,} not graded: {one.why.en}", f"未评级 {one.customers:,}：{one.why.zh}")
            for one in self.ungraded
        ]
        if not parts:
            return Text("none", "无")
        return Text("; ".join(part.en for part in parts), "；".join(part.zh for part in parts))


@dataclass(frozen=True)
class Known:
    """All customers who are known at the cutoff of a run.

    Parameters
    ----------
    tiers : tuple of str
        Tiers of the scheme, best first.
    lines : tuple of KnownLine
        One for each activity.
    returned_only : int
        Customers with returns but no purchase, of whom no table of customers tells: they are counted as nobody.
    reading : tuple of Text
        What the scheme's reading does on these customers.
    """

    tiers: tuple[str, ...]
    lines: tuple[KnownLine, ...]
    returned_only: int = 0
    reading: tuple[Text, ...] = ()

    @property
    def customers(self) -> int:
        """Everybody."""
        return sum(line.customers for line in self.lines)

    @property
    def told(self) -> Text:
        """Say how the activities add up.

        Examples
        --------
        >>> lines = (KnownLine("active", 5, (5,)), KnownLine("lapsed", 2, (2,)), KnownLine("prospect", 1, (0,)))
        >>> Known(("A",), lines).told.en
        '8 customers are known = 5 active + 2 lapsed + 1 prospects'
        """
        en = " + ".join(f"{line.customers:,} {PLURALS[line.activity]}" for line in self.lines)
        zh = " + ".join(f"{line.name.zh} {line.customers:,}" for line in self.lines)
        return Text(f"{self.customers:,} customers are known = {en}", f"已知客户 {self.customers:,} 位 = {zh}")


def known_of(activity: pa.ChunkedArray, graded: pa.Table, tiers: tuple[str, ...], returned_only: int = 0) -> Known:
    """Count everybody by activity, tier and, of those without one, the reason.

    Parameters
    ----------
    activity : pyarrow array of str
        One value a row of ``graded``.
    graded : pyarrow.Table
        With ``tier`` and ``flags``.
    tiers : tuple of str
        Best first.
    returned_only : int
    """
    import pyarrow.compute as pc

    lines = []
    for kind in ACTIVITIES:
        rows = graded.filter(pc.equal(activity, kind))
        given = rows["tier"].to_pylist()
        without = rows.filter(pc.is_null(rows["tier"]))["flags"].to_pylist()
        lines.append(KnownLine(kind, len(given), tuple(map(given.count, tiers)), _reasons(without)))
    return Known(tiers, tuple(lines), returned_only)


def _reasons(flags: list[str]) -> tuple[Ungraded, ...]:
    """Count why customers have no tier; a customer with several reasons is told under the first."""
    from tierlens.grading.labels import FLAGS, REFUSING

    why = [next((word for word in REFUSING if word in words.split()), "not_graded") for words in flags]
    return tuple(Ungraded(FLAGS[word], why.count(word)) for word in REFUSING if word in why)
