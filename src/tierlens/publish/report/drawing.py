"""What all pictures share: one look, one font for both languages, and SVG that is the same for the same numbers.

Pictures are narrow, so that their words stay readable at the width of a phone, and their words stay words: the page's
own font draws them, and they can be searched and read aloud.
"""

from __future__ import annotations

import io
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tierlens.errors import MissingExtraError
from tierlens.publish.files.safe_text import plain_text
from tierlens.words import Lang, Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, GRID, BAND = "#1f2a37", "#5b6776", "#e3e8ee", "#f3d9b1"
BLUE, ORANGE, GREEN, PURPLE, GOLD, SKY = "#0072b2", "#d55e00", "#00825f", "#a5538a", "#b07d00", "#4a9cc9"
"""Okabe and Ito's colours (2008), told apart by colour-blind readers; some are darkened to be read on white."""

WIDTH = 4.7
"""Inches: 338 points, about the width of a phone's page."""

_STACK = "system-ui, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', sans-serif"
_CJK = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Noto Sans CJK JP",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "PingFang SC", "Hiragino Sans GB",
    "Microsoft YaHei", "SimHei", "Heiti SC", "STHeiti", "Arial Unicode MS",
)  # fmt: skip
_FILES = re.compile(r"(NotoSansCJK|NotoSansSC|SourceHanSans|wqy|DroidSansFallback|msyh|simhei|PingFang)", re.IGNORECASE)


@lru_cache(maxsize=1)
def chinese_font() -> str | None:
    """Return the name of a font with Chinese letters, or None where the machine has none.

    matplotlib keeps a list of fonts from its first start; one installed later is looked for and added to it.
    """
    manager = _matplotlib().font_manager
    for look in (False, True):
        if look:
            for path in sorted(manager.findSystemFonts()):
                if _FILES.search(path):
                    manager.fontManager.addfont(path)
        known = {entry.name for entry in manager.fontManager.ttflist}
        found = next((name for name in _CJK if name in known), None)
        if found:
            return found
    return None


def picture_language(lang: Lang) -> Lang:
    """Return the language in which pictures can be labelled: English where no Chinese font is installed."""
    return lang if lang == "en" or chinese_font() else "en"


def picture_label(text: Text | str, lang: Lang, width: int = 60) -> str:
    """Return a text for a picture: without what the font cannot draw, and not longer than ``width`` letters.

    Chinese letters count double. A dollar sign is kept from starting a formula.
    """
    said = plain_text(text if isinstance(text, str) else text.say(picture_language(lang)))
    drawn = "".join(letter if ord(letter) in _drawable() else "?" for letter in " ".join(said.split()))
    while sum(1 + (ord(letter) > 0x2E7F) for letter in drawn) > width:
        drawn = drawn.rstrip("…")[:-1] + "…"
    return drawn.replace("$", r"\$")


@lru_cache(maxsize=1)
def _drawable() -> frozenset[int]:
    """Letters that the fonts in use have between them."""
    mpl = _matplotlib()
    paths = [mpl.font_manager.findfont(name) for name in _families()]
    return frozenset(code for path in paths for code in mpl.ft2font.FT2Font(path).get_charmap())


def _families() -> list[str]:
    chinese = chinese_font()
    return ["DejaVu Sans", *([chinese] if chinese else [])]


def _matplotlib() -> Any:
    try:
        import matplotlib as mpl
        import matplotlib.font_manager
        import matplotlib.ft2font
    except ImportError:
        raise MissingExtraError("report", "matplotlib") from None
    return mpl


def picture_style() -> Any:
    """Return a context in which matplotlib draws our way; its settings are as before when it ends."""
    return _matplotlib().rc_context({
        "svg.fonttype": "none", "svg.hashsalt": "tierlens", "font.family": _families(), "font.size": 8.5,
        "text.color": INK, "axes.labelcolor": MUTED, "axes.edgecolor": GRID, "xtick.color": MUTED,
        "ytick.color": MUTED, "axes.titlesize": 9, "axes.labelsize": 8, "xtick.labelsize": 8, "ytick.labelsize": 8,
        "axes.unicode_minus": False, "xtick.major.size": 0, "ytick.major.size": 0, "axes.linewidth": 0.8,
    })  # fmt: skip


def empty_picture(height: float) -> tuple[Figure, Axes]:
    """Return an empty picture of our width (inches) with one quiet pair of axes; no state of pyplot is touched."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), facecolor="none")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.02, 0.14, 0.96, 0.84), facecolor="none")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    return figure, axes


def set_margins(axes: Axes, left: float, bottom: float, right: float = 0.1, top: float = 0.08) -> None:
    """Place axes by margins in inches, so that a higher picture does not get wider ones."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    width, height = figure.get_size_inches()
    axes.set_position((left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height))


def svg_element(figure: Figure, name: str, title: str) -> str:
    """Return a picture as an SVG element for a page.

    Parameters
    ----------
    figure : Figure
    name : str
        Unique on the page; ids inside the picture start with it.
    title : str
        What a screen reader says.

    Returns
    -------
    str
        Without prolog, metadata, date, size and outside address; scales with the page.
    """
    out = io.StringIO()
    empty = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(out, format="svg", metadata=empty, dpi=220)
    text = out.getvalue()[out.getvalue().index("<svg") :]
    head, body = text.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)
    assert box is not None
    body = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", body, count=1, flags=re.DOTALL)
    body = re.sub(r'<g id="[^"]*">', "<g>", body)
    body = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', body)
    body = re.sub(r'(href="#|url\(#)', rf"\1{name}-", body)
    families = ", ".join(f"'{family}'" for family in _families())
    body = body.replace(families, _STACK).replace("xlink:href", "href")
    body = "\n".join(line.rstrip() for line in body.splitlines() if line.strip())
    return f'<svg {box.group()} xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{_quoted(title)}">{body}'


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
