"""The least action that raises a tier, and the most that may be lost: what to try next, and what came of it.

A search is a generator: it yields trials, gets the grader's results for them, and returns plans. Searches of many
customers go in step, so that each step is graded in one batch.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tierlens.grading.next_tier.actions import (
    Action,
    Changed,
    action_effort,
    action_sizes,
    most_less,
    purchases_are_known,
    spread_sizes,
    taken_all,
    window_purchases,
)
from tierlens.grading.next_tier.whatif import Bench, Change, Result
from tierlens.grading.scheme.scheme import Scheme

Row = Mapping[str, Any]
Plan = tuple[Action, ...]
WHOLE = ("buy", "orders", "less")
"""Actions whose size may be any whole number; the others have steps."""
PARTS = 12
"""Parts that a span of sizes is cut into at each step of the search."""
BUMPS = (1, 2, 5, 20)
OFFERS = 3
"""Offers shown for each customer."""


@dataclass(frozen=True)
class Trial:
    """Features after a plan, to be graded quickly or together with the whole population."""

    row: Changed
    exact: bool = False


Ask = Generator[list[Trial], list[Result], Any]


@dataclass(frozen=True)
class Found:
    """A plan that the grader confirmed.

    ``limit`` says that one unit more, and every larger size that was tried, was graded too and does not hold.
    """

    plan: Plan
    after: Changed
    rank: int
    effort: float
    limit: bool = False


@dataclass(frozen=True)
class Case:
    """A customer, where he stands, and what is asked."""

    customer_id: str
    cutoff: int
    row: Row
    rank: int
    scheme: Scheme
    observe: int

    def cost(self, plan: Plan) -> float:
        """Return the effort of a plan."""
        return sum(action_effort(self.row, action) for action in plan)


def graded_plans(
    case: Case, plans: Sequence[Plan], exact: bool = False
) -> Generator[list[Trial], list[Result], list[Found]]:
    """Grade plans; those that are impossible are left out."""
    rows = [(plan, row) for plan in plans if (row := taken_all(case.row, plan)) is not None]
    results = yield [Trial(row, exact) for _, row in rows]
    return [Found(plan, row, result.rank, case.cost(plan)) for (plan, row), result in zip(rows, results, strict=True)]


def raising_plan(case: Case) -> Generator[list[Trial], list[Result], list[Found]]:
    """Search for what raises the tier: single actions, or else several together; the least effort first."""
    steps = list(action_sizes(case.scheme, case.row, case.observe))
    graded = yield from graded_plans(case, [(action,) for ladder in steps for action in ladder])
    by_plan = {found.plan: found for found in graded}
    firsts: list[tuple[Plan, int]] = []
    for ladder in steps:
        reached = [n for n, action in enumerate(ladder) if _rises(case, by_plan.get((action,)))]
        if reached:
            low = ladder[reached[0] - 1].size if reached[0] else 0
            firsts.append(((ladder[reached[0]],), low))
    if not firsts:
        together = yield from _together(case, steps)
        firsts = [(together, 0)] if together else []
    sure = yield from _side_by_side([_narrowed(case, plan, low) for plan, low in firsts])
    return sorted((found for found in sure if found is not None), key=lambda found: found.effort)[:OFFERS]


def _narrowed(case: Case, plan: Plan, low: int) -> Generator[list[Trial], list[Result], Found | None]:
    least = yield from _least(case, plan, low)
    return (yield from _confirmed(case, least))


def _side_by_side(searches: list[Ask]) -> Generator[list[Trial], list[Result], list[Any]]:
    """Run searches of one customer in step, as one search."""
    answers: list[Any] = [None] * len(searches)
    asked: dict[int, list[Trial]] = {}
    for number, search in enumerate(searches):
        _send(search, None, number, asked, answers)
    while asked:
        near = {number: trials for number, trials in asked.items() if not any(trial.exact for trial in trials)}
        now, start = near or asked, 0
        results = yield [trial for trials in now.values() for trial in trials]
        asked = {number: trials for number, trials in asked.items() if number not in now}
        for number, trials in now.items():
            _send(searches[number], results[start : start + len(trials)], number, asked, answers)
            start += len(trials)
    return answers


def _rises(case: Case, found: Found | None) -> bool:
    return found is not None and found.rank < case.rank


def _least(case: Case, plan: Plan, low: int) -> Generator[list[Trial], list[Result], Plan]:
    """Narrow down the first action whose size may be any whole number, the others as they are."""
    place = next((n for n, action in enumerate(plan) if action.kind in WHOLE), None)
    if place is None:
        return plan
    high = plan[place].size
    while high - low > 1:
        sizes = sorted({low + max((high - low) * part // PARTS, 1) for part in range(1, PARTS)} | {high})
        plans = [_sized(plan, place, size) for size in sizes if low < size < high]
        graded = yield from graded_plans(case, plans)
        good = [found.plan[place].size for found in graded if _rises(case, found)]
        top = min([*good, high])
        low, high = max([size for size in sizes if size < top], default=low), top
    return _sized(plan, place, high)


def _sized(plan: Plan, place: int, size: int) -> Plan:
    action = Action(plan[place].kind, size, plan[place].feature)
    return (*plan[:place], action, *plan[place + 1 :])


def _confirmed(case: Case, plan: Plan) -> Generator[list[Trial], list[Result], Found | None]:
    """Grade a plan with the whole population; take a little more where the last of nine places is short."""
    first = yield from graded_plans(case, [plan], exact=True)
    place = next((n for n, action in enumerate(plan) if action.kind in WHOLE), None)
    if not any(_rises(case, found) for found in first) and place is not None:
        more = [_sized(plan, place, plan[place].size + bump) for bump in BUMPS]
        first = yield from graded_plans(case, more, exact=True)
    return next((found for found in first if _rises(case, found)), None)


def _together(case: Case, steps: list[list[Action]]) -> Generator[list[Trial], list[Result], Plan | None]:
    """Combine actions: the cheapest of the combinations at their best, then each taken back as far as it goes."""
    best = [ladder[-1] for ladder in steps if ladder[0].kind not in WHOLE]
    orders = [ladder for ladder in steps if ladder[0].kind in WHOLE]
    sizes = [(action,) for ladder in orders for action in ladder[:: max(len(ladder) // 10, 1)] + ladder[-1:]]
    plans = [tuple(best), *((*size, *best) for size in sizes)]
    graded = yield from graded_plans(case, [plan for plan in plans if len(plan) > 1])
    good = [found for found in graded if _rises(case, found)]
    if not good:
        return None
    plan = min(good, key=lambda found: found.effort).plan
    while True:
        less = yield from graded_plans(case, _reduced(plan, steps))
        better = [found for found in less if _rises(case, found) and found.effort < case.cost(plan)]
        if not better:
            return plan
        plan = min(better, key=lambda found: found.effort).plan


def _reduced(plan: Plan, steps: list[list[Action]]) -> list[Plan]:
    """Return the plan without each action in turn, and with each at every lower step."""
    found: list[Plan] = []
    for place, action in enumerate(plan):
        found += [(*plan[:place], *plan[place + 1 :])] if len(plan) > 1 else []
        ladder = next((ladder for ladder in steps if action in ladder), [])
        found += [(*plan[:place], each, *plan[place + 1 :]) for each in ladder[: max(_at(ladder, action), 0)]]
    return found


def _at(ladder: list[Action], action: Action) -> int:
    return ladder.index(action) if action in ladder else 0


def losing_plan(case: Case) -> Generator[list[Trial], list[Result], list[Found]]:
    """Search for how much less can be bought over the window before the tier is lost."""
    most = most_less(case.row)
    if (
        most < 1
        or window_purchases(case.row) <= 0
        or not purchases_are_known(case.scheme, case.row, case.observe, less=True)
    ):
        return []
    first = yield from graded_plans(case, [(Action("less", size),) for size in spread_sizes(most)])
    if not first:
        return []
    low, high = _around(case, first, 0, most + 1)
    falls = high <= most and all(found.rank > case.rank for found in first if found.plan[0].size > high)
    while high - low > 1:
        sizes = {low + max((high - low) * part // PARTS, 1) for part in range(1, PARTS)}
        graded = yield from graded_plans(case, [(Action("less", size),) for size in sorted(sizes) if low < size < high])
        low, high = _around(case, graded, low, high)
    return (yield from _held(case, low, most, falls))


def _around(case: Case, graded: list[Found], low: int, high: int) -> tuple[int, int]:
    """Return the last size before the first that loses the tier, and that first one."""
    sizes = [found.plan[0].size for found in graded]
    first = min([size for size, found in zip(sizes, graded, strict=True) if found.rank > case.rank], default=high)
    return max([size for size in sizes if size < first], default=low), first


def _held(case: Case, low: int, most: int, falls: bool) -> Generator[list[Trial], list[Result], list[Found]]:
    """Grade the last size that keeps the tier, and one more, with the whole population."""
    for size in (size for size in (low, *(low - bump for bump in BUMPS)) if size > 0):
        sizes = [size, size + 1] if size < most else [size]
        graded = yield from graded_plans(case, [(Action("less", each),) for each in sizes], exact=True)
        if graded and graded[0].rank <= case.rank:
            last = graded[0]
            limit = falls and len(graded) > 1 and graded[1].rank > case.rank
            return [Found(last.plan, last.after, last.rank, last.effort, limit)]
    return []


def in_step(searches: Sequence[tuple[Case, Ask]], bench: Bench) -> list[list[Found]]:
    """Run searches together, each step of all of them in one batch, and return what each found."""
    answers: list[list[Found]] = [[] for _ in searches]
    asked: dict[int, list[Trial]] = {}
    for number in range(len(searches)):
        _send(searches[number][1], None, number, asked, answers)
    while asked:
        # Whole populations are dear: they wait until nothing else is asked for, and then go together.
        near = {number: trials for number, trials in asked.items() if not any(trial.exact for trial in trials)}
        now = near or asked
        results = _graded(searches, now, bench)
        asked = {number: trials for number, trials in asked.items() if number not in now}
        for number, mine in results.items():
            _send(searches[number][1], mine, number, asked, answers)
    return answers


def _send(
    search: Ask, results: list[Result] | None, number: int, asked: dict[int, list[Trial]], answers: list[Any]
) -> None:
    try:
        asked[number] = next(search) if results is None else search.send(results)
    except StopIteration as over:
        answers[number] = over.value


def _graded(
    searches: Sequence[tuple[Case, Ask]], asked: Mapping[int, list[Trial]], bench: Bench
) -> dict[int, list[Result]]:
    """Grade all trials that are asked for: those that want the whole population apart from the others."""
    found: dict[int, list[Any]] = {number: [None] * len(trials) for number, trials in asked.items()}
    for exact in (False, True):
        places, changes = [], []
        for number, trials in asked.items():
            case = searches[number][0]
            for place, trial in enumerate(trials):
                if trial.exact == exact:
                    places.append((number, place))
                    changes.append(Change(case.customer_id, case.cutoff, trial.row))
        results = (bench.exact if exact else bench.near)(changes)
        for (number, place), result in zip(places, results, strict=True):
            found[number][place] = result
    return found
