"""The report's pictures: tier shares, segments by tier, lift, calibration, and what drives a risk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tierlens.explain.contributions import OTHER
from tierlens.explain.scheme_homes import OUTSIDE
from tierlens.publish.report.drawing import (
    BAND,
    BLUE,
    GOLD,
    GREEN,
    GRID,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    SKY,
    empty_picture,
    picture_label,
    picture_language,
    picture_style,
    set_margins,
    svg_element,
)  # fmt: skip
from tierlens.publish.report.findings import Findings, Risk, Segments, Swarm, Tiers, Why
from tierlens.words import Lang, Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DIMENSION_COLOURS = {"value": BLUE, "stability": ORANGE, "potential": GREEN, "service": PURPLE,
                     "credit": GOLD, "loyalty": SKY}  # fmt: skip
_LINES = (BLUE, ORANGE, GREEN, PURPLE, GOLD, SKY)
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (4, 1.5, 1, 1.5)), (0, (2, 1)), (0, (7, 2)))

TITLES: dict[str, Text] = {
    "tiers": Text("Share of customers in each tier", "各等级客户占比"),
    "segments": Text("Segments by tier", "客群与等级对照"),
    "lift": Text("Lift", "提升度"),
    "calibration": Text("Calibration", "校准"),
    "importance": Text("What drives the risk", "风险由何驱动"),
    "swarm": Text("How values move the risk", "取值如何影响风险"),
}


def draw_all(findings: Findings, lang: Lang) -> dict[str, str]:
    """Draw every picture that the findings have numbers for.

    Parameters
    ----------
    findings : Findings
    lang : {"en", "zh"}
        Labels are English where the machine has no Chinese font.

    Returns
    -------
    dict of str to str
        From a name (``tiers``, ``segments``, ``churn_lift``, ``churn_calibration``, ``churn_importance``,
        ``churn_swarm``, ...) to an SVG element. The same findings give the same text.
    """
    jobs: list[tuple[str, str, Callable[[], Figure]]] = []
    if findings.tiers is not None and findings.tiers.lines:
        tiers = findings.tiers
        jobs.append(("tiers", "tiers", lambda: draw_tiers(tiers, lang)))
    if findings.segments is not None and findings.segments.lines:
        segments = findings.segments
        jobs.append(("segments", "segments", lambda: draw_segments(segments, lang)))
    for risk in findings.risks:
        jobs += _risk_jobs(risk, lang)
    with picture_style():
        return {
            name: svg_element(draw(), f"{name}-{lang}", picture_label(TITLES[kind], lang)) for name, kind, draw in jobs
        }


def _risk_jobs(risk: Risk, lang: Lang) -> list[tuple[str, str, Callable[[], Figure]]]:
    jobs: list[tuple[str, str, Callable[[], Figure]]] = []
    if risk.curves:
        jobs.append((f"{risk.outcome}_lift", "lift", lambda: draw_lift(risk, lang)))
    if risk.bins:
        jobs.append((f"{risk.outcome}_calibration", "calibration", lambda: draw_calibration(risk, lang)))
    why = risk.why
    if why is not None:
        jobs.append((f"{risk.outcome}_importance", "importance", lambda: draw_importance(why, lang)))
        if why.swarms:
            jobs.append((f"{risk.outcome}_swarm", "swarm", lambda: draw_swarm(why.swarms, lang)))
    return jobs


def draw_tiers(tiers: Tiers, lang: Lang) -> Figure:
    """Draw the share of each tier, beside the share that the document suggests where it does."""
    lines = tiers.lines
    figure, axes = empty_picture(0.62 + 0.46 * len(lines))
    set_margins(axes, left=0.12, bottom=0.52, right=0.1)
    for row, line in enumerate(lines):
        letter = f"{line.tier}  " if len(line.tier) == 1 else ""
        axes.text(
            0,
            row - 0.27,
            picture_label(f"{letter}{line.name.say(picture_language(lang))}", lang),
            va="center",
            fontsize=8.5,
        )
        axes.text(1, row + 0.12, f"{line.share:.1%}", va="center", ha="right", transform=axes.get_yaxis_transform())
        if line.suggested is not None:
            low, high = line.suggested
            axes.barh(row + 0.12, high - low, 0.46, left=low, color=BAND)
        axes.barh(row + 0.12, line.share, 0.24, color=BLUE)
    axes.set_yticks([])
    axes.set_ylim(len(lines) - 0.4, -0.55)
    furthest = max(max(line.share, (line.suggested or (0, 0))[1]) for line in lines)
    _percent(axes, "x", max(0.1, furthest), room=1.16)
    if tiers.suggests:
        named = [(BLUE, Text("actual", "实际占比")), (BAND, Text("suggested by the document", "文件建议区间"))]
        _legend(axes, named, lang)
    return figure


def draw_segments(segments: Segments, lang: Lang) -> Figure:
    """Draw how many customers of each segment are in each tier; the darker, the larger the part of the segment."""
    rows, columns = len(segments.lines), len(segments.tiers)
    figure, axes = empty_picture(0.4 + 0.5 * rows)
    set_margins(axes, left=0.08, bottom=0.06, right=0.08, top=0.3)
    for row, line in enumerate(segments.lines):
        axes.text(
            0,
            row + 0.2,
            picture_label(f"{line.name.say(picture_language(lang))} · {line.customers:,}", lang, 70),
            va="center",
        )
        for column, count in enumerate(line.by_tier):
            part = count / max(sum(line.by_tier), 1)
            axes.barh(row + 0.64, 0.97, 0.52, left=column, color=_shade(part))
            ink = "white" if part > 0.5 else INK
            axes.text(column + 0.485, row + 0.64, f"{count:,}", va="center", ha="center", color=ink)
    for column, tier in enumerate(segments.tiers):
        axes.text(column + 0.485, -0.14, picture_label(tier, lang, 14), ha="center", weight="bold", color=MUTED)
    axes.set_xlim(0, columns)
    axes.set_ylim(rows, 0)
    axes.axis("off")
    return figure


def draw_lift(risk: Risk, lang: Lang) -> Figure:
    """Draw how many times the base rate the riskiest customers have, for the model and each baseline."""
    figure, axes = empty_picture(3.0)
    set_margins(axes, left=0.52, bottom=0.45, right=0.22)
    for place, curve in enumerate(risk.curves):
        style = {"color": _LINES[place % len(_LINES)], "linestyle": _DASHES[place % len(_DASHES)]}
        axes.plot(
            curve.shares,
            curve.lifts,
            linewidth=2.2 if place == 0 else 1.5,
            label=picture_label(curve.name, lang),
            **style,
        )
    axes.axhline(1, color=MUTED, linewidth=0.8)
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    axes.locator_params(axis="y", nbins=5)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25%", "50%", "75%", "100%"])
    axes.set_xlabel(picture_label(Text("riskiest share of customers", "风险最高的客户占比"), lang))
    axes.set_ylabel(picture_label(Text("times the base rate", "相对基准率的倍数"), lang))
    axes.legend(frameon=False, fontsize=8, labelcolor=INK, handlelength=3)
    return figure


def draw_calibration(risk: Risk, lang: Lang) -> Figure:
    """Draw what happened against what was predicted; a larger dot stands for more customers."""
    figure, axes = empty_picture(3.0)
    set_margins(axes, left=0.62, bottom=0.45, right=0.22)
    predicted = [part.predicted for part in risk.bins]
    observed = [part.observed for part in risk.bins]
    most = max(part.customers for part in risk.bins)
    sizes = [12 + 60 * part.customers / max(most, 1) for part in risk.bins]
    top = min(1.0, 1.08 * max(*predicted, *observed, 0.05))
    axes.plot([0, top], [0, top], color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.plot(predicted, observed, color=BLUE, linewidth=1.4)
    axes.scatter(predicted, observed, s=sizes, color=BLUE, zorder=3, clip_on=False)
    axes.text(
        top * 0.55, top * 0.66, picture_label(Text("exact", "完全一致"), lang), color=MUTED, ha="right", fontsize=8
    )
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    _percent(axes, "x", top)
    _percent(axes, "y", top)
    axes.set_xlabel(picture_label(Text("predicted risk", "预测风险"), lang))
    axes.set_ylabel(picture_label(Text("observed rate", "实际发生率"), lang))
    return figure


def draw_importance(why: Why, lang: Lang, most: int = 10) -> Figure:
    """Draw the share of all contributions by dimension, and below it by feature."""
    upper, lower, colours = list(why.dimensions), list(why.features[:most]), _dimension_colours(why)
    rows = [*upper, None, *lower]
    figure, axes = empty_picture(0.5 + 0.34 * len(rows))
    set_margins(axes, left=0.08, bottom=0.1, right=0.5, top=0.25)
    longest = max((weight.share for weight in (*upper, *lower)), default=0) or 1
    gap = 0.012 * longest
    for row, weight in enumerate(rows):
        if weight is None:
            axes.text(
                0,
                row + 0.25,
                picture_label(Text("by feature", "按特征"), lang),
                color=MUTED,
                va="center",
                weight="bold",
            )
            continue
        colour = colours.get(weight.dimension, MUTED)
        axes.text(0, row - 0.22, picture_label(weight.name, lang), va="center", fontsize=8.5)
        axes.barh(row + 0.2, weight.share, 0.3, color=colour)
        axes.text(weight.share + gap, row + 0.2, f"{weight.share:.0%}", va="center", fontsize=8, color=MUTED)
    axes.text(0, -0.85, picture_label(Text("by dimension", "按维度"), lang), color=MUTED, va="center", weight="bold")
    axes.set_ylim(len(rows) - 0.5, -0.6)
    axes.set_xlim(0, longest)
    axes.axis("off")
    return figure


def _dimension_colours(why: Why) -> dict[str, str]:
    """Give the dimensions of a scheme that are not the catalog's the colours that are left; what lies outside is grey.

    The catalog's own keep theirs, so that one name has one colour in all reports.
    """
    named = [weight.dimension for weight in why.dimensions if weight.dimension not in (OUTSIDE, OTHER)]
    taken = {DIMENSION_COLOURS[name] for name in named if name in DIMENSION_COLOURS}
    left = (colour for colour in _LINES if colour not in taken)
    return DIMENSION_COLOURS | dict(zip((name for name in named if name not in DIMENSION_COLOURS), left, strict=False))


def draw_swarm(swarms: tuple[Swarm, ...], lang: Lang, seed: int = 0) -> Figure:
    """Draw a dot for each sampled customer: how far a feature moved the risk, and whether its value was low or high.

    After the summary plot of Lundberg and Lee (2017); colour is the rank of the value, grey where it is missing.
    """
    figure, axes = empty_picture(0.75 + 0.42 * len(swarms))
    set_margins(axes, left=0.08, bottom=0.62, right=0.08)
    chance = np.random.default_rng(seed)
    for row, swarm in enumerate(swarms):
        contributions, values = np.array(swarm.contributions, float), np.array(swarm.values, float)
        ranks, missing = _ranks(values), np.isnan(values)
        height = row + 0.2 + 0.2 * _spread(contributions, chance)
        axes.scatter(contributions[missing], height[missing], s=5, color="#a3acb8", linewidths=0, rasterized=True)
        axes.scatter(contributions[~missing], height[~missing], s=5, c=ranks[~missing], cmap="cividis", vmin=0, vmax=1,
                     linewidths=0, rasterized=True)  # fmt: skip
        axes.text(0.0, row - 0.2, picture_label(swarm.name, lang), va="center", transform=axes.get_yaxis_transform())
    axes.axvline(0, color=GRID, linewidth=1.2, zorder=0)
    axes.set_ylim(len(swarms) - 0.4, -0.5)
    axes.set_yticks([])
    axes.margins(x=0.03)
    axes.set_xlabel(
        picture_label(
            Text("lowers the risk     ←  log odds  →     raises the risk", "降低风险     ←  对数几率  →     提高风险"),
            lang,
        )
    )
    _scale(figure, lang)
    return figure


def _ranks(values: Any) -> Any:
    """Ranks of values in 0-1, ties alike; NaN for missing ones."""
    found = np.full(len(values), np.nan)
    known = ~np.isnan(values)
    levels, places = np.unique(values[known], return_inverse=True)
    found[known] = places / max(len(levels) - 1, 1)
    return found


def _spread(contributions: Any, chance: Any) -> Any:
    """Heights in -1 to 1: the more customers near a contribution, the wider the cloud."""
    low, high = float(np.min(contributions, initial=0)), float(np.max(contributions, initial=0))
    places = np.clip(((contributions - low) / max(high - low, 1e-12) * 40).astype(int), 0, 39)
    crowd = np.bincount(places, minlength=40)
    return chance.uniform(-1, 1, len(contributions)) * np.sqrt(crowd[places] / max(crowd.max(), 1))


def _scale(figure: Figure, lang: Lang) -> None:
    """Draw the key of the colours at the bottom."""
    height = float(figure.get_size_inches()[1])
    key = figure.add_axes((0.36, 0.1 / height, 0.28, 0.07 / height))
    key.imshow(np.linspace(0, 1, 64)[None, :], aspect="auto", cmap="cividis", rasterized=True)
    key.axis("off")
    for place, side, text in (
        (-0.04, "right", Text("low value", "取值低")),
        (1.04, "left", Text("high value", "取值高")),
    ):
        key.text(
            place,
            0.5,
            picture_label(text, lang),
            ha=side,
            va="center",
            transform=key.transAxes,
            fontsize=8,
            color=MUTED,
        )


def _percent(axes: Axes, side: str, top: float, room: float = 1) -> None:
    """Mark an axis from 0 to ``top`` in per cent, with few round ticks, and leave ``room`` times its length."""
    size = next((size for size in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25) if top / size <= 5.5), 0.25)
    ticks = [size * place for place in range(int(top / size + 1e-9) + 1)]
    names = [f"{tick:.0%}" for tick in ticks]
    if side == "x":
        axes.set_xlim(0, top * room)
        axes.set_xticks(ticks, names)
    else:
        axes.set_ylim(0, top * room)
        axes.set_yticks(ticks, names)


def _shade(part: float) -> str:
    """Mix white and dark blue by a part of 0-1."""
    pale, dark = (0xEE, 0xF3, 0xF8), (0x0B, 0x4F, 0x87)
    return "#" + "".join(
        f"{round(low + (high - low) * min(max(part, 0), 1)):02x}" for low, high in zip(pale, dark, strict=True)
    )


def _legend(axes: Axes, entries: list[tuple[str, Text]], lang: Lang) -> None:
    """Name the colours below the axes."""
    from matplotlib.patches import Patch

    patches = [Patch(color=colour, label=picture_label(text, lang)) for colour, text in entries]
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.legend(handles=patches, loc="lower left", ncols=len(patches), frameon=False, fontsize=8, labelcolor=INK,
                  bbox_to_anchor=(0.0, 0.0), handlelength=1.2)  # fmt: skip
