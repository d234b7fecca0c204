"""Real data to try things on: Online Retail II and the CDNOW sample; and where they come from."""

from __future__ import annotations

import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from tierlens.datasets.simulate import Simulated, simulated_shop
from tierlens.errors import DataError
from tierlens.scratch import scratch_folder
from tierlens.sources.declared.source import Columns, Money, NonProducts, Policies, Source
from tierlens.sources.messages.refusals import file_refusal
from tierlens.sources.staging.files import cache_folder, data_folder

__all__ = ["Simulated", "cdnow_source", "data_folder", "fetch_retail", "retail_source", "simulated_shop"]

# Chen (2012), Online Retail II, UCI Machine Learning Repository, doi 10.24432/C5CG6D, CC BY 4.0.
RETAIL_ADDRESS = "https://archive.ics.uci.edu/static/public/502/online+retail+ii.zip"
RETAIL_WORKBOOK = "online_retail_II.xlsx"
RETAIL_LINES = 1_067_371
BLOCK = 1 << 18
Progress = Callable[[int, int], None]

RETAIL_COLUMNS = Columns(
    customer_id="Customer ID",
    order_id="Invoice",
    time="InvoiceDate",
    product_id="StockCode",
    quantity="Quantity",
    price="Price",
)
# Codes that are no goods: postage, carriage, fees, discounts, samples, manual entries, tests, gift vouchers.
RETAIL_NON_PRODUCTS = NonProducts(
    codes=("POST", "DOT", "C2", "C3", "M", "m", "D", "S", "B", "PADS", "CRUK", "GIFT", "AMAZONFEE", "BANK CHARGES"),
    pattern="ADJUST[0-9]*|TEST[0-9]+|gift_.*",
)


def retail_source(recipe: Literal["benchmark", "shop"] = "benchmark", rates: dict[str, str] | None = None) -> Source:
    """Return Online Retail II, a UK wholesaler's invoice lines, with its declared rules.

    Purchases are lines with a customer, not cancelled, at a quantity and price above zero; exact repeats within a
    sheet are dropped; where the sheets overlap the second counts; cancelled lines are returns.

    Parameters
    ----------
    recipe : {"benchmark", "shop"}
        ``benchmark`` keeps lines of codes that are no product, as all published figures do, and counts them;
        ``shop`` quarantines them.
    rates : mapping of str to str, optional
        Units of other currencies for one pound, for schemes whose thresholds are in them.

    Returns
    -------
    Source
        Paths are looked up when it is read: in the data folder, where :func:`fetch_retail` puts them too.

    Examples
    --------
    >>> retail_source().policies.non_products.action, retail_source("shop").policies.non_products.action
    ('keep', 'quarantine')
    """
    action: Literal["keep", "quarantine"] = "keep" if recipe == "benchmark" else "quarantine"
    return Source(
        name="Online Retail II",
        files=("data:online_retail_II",),
        columns=RETAIL_COLUMNS,
        currency=Money.model_validate({"code": "GBP", "rates": rates or {}}),
        timezone="Europe/London",
        policies=Policies(
            returns="order_prefix",
            return_prefix="C",
            adjustment_prefix="A",
            non_products=RETAIL_NON_PRODUCTS.model_copy(update={"action": action}),
            limits={"missing_customer": 0.30, "non_product": 0.02},
        ),
    )


def cdnow_source() -> Source:
    """Return Fader and Hardie's 1/10 sample of CDNOW: 2,357 customers of a music shop, 1997-01-01 to 1998-06-30.

    Orders without a value are kept, and nothing is dropped as a repeat, so that published models can be refitted.

    Examples
    --------
    >>> cdnow_source().headers[0], cdnow_source().currency.code
    ('customer_id', 'USD')
    """
    return Source(
        name="CDNOW sample",
        files=("data:cdnow/CDNOW_sample.txt",),
        headers=("customer_id", "sample_id", "time", "quantity", "amount"),
        separator=" ",
        currency=Money(code="USD"),
        timezone="America/New_York",
        policies=Policies(duplicates="keep", non_positive_price="keep_zero"),
    )


def fetch_retail(
    folder: Path | None = None,
    progress: Progress | None = None,
    address: str = RETAIL_ADDRESS,
    lines: int = RETAIL_LINES,
) -> Path:
    """Download the original workbook of Online Retail II into the cache, unless it is there.

    Parameters
    ----------
    folder : Path, optional
        Data folder to put ``online_retail_II`` into; the download cache where not given.
    progress : callable, optional
        Called with the bytes that have come and the bytes there are (0 where unknown).
    address : str
        Of the zip file.
    lines : int
        Lines that the workbook must have in all its sheets.

    Returns
    -------
    Path
        The workbook.

    Raises
    ------
    DataError
        ``E-TX-201`` when it cannot be reached, is no such workbook or has other lines; nothing is left behind.
    MissingExtraError
        python-calamine is not installed.
    """
    target = (folder or cache_folder()) / "online_retail_II" / RETAIL_WORKBOOK
    if target.is_file():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(target.parent) as aside:
            packed, workbook = aside / "retail.zip", aside / RETAIL_WORKBOOK
            _download(address, packed, progress)
            with zipfile.ZipFile(packed) as archive:
                name = next(n for n in archive.namelist() if n.lower().endswith(".xlsx"))
                workbook.write_bytes(archive.read(name))
            found = _count_lines(workbook)
            if found != lines:
                raise file_refusal("E-TX-201", address, detail=f"{found:,} != {lines:,} lines", folder=target.parent)
            workbook.replace(target)
    except DataError:
        raise
    except (OSError, StopIteration, zipfile.BadZipFile) as error:
        raise file_refusal("E-TX-201", address, detail=repr(error), folder=target.parent) from None
    return target


def _download(address: str, target: Path, progress: Progress | None) -> None:
    if not address.startswith(("https://", "file://")):
        raise OSError(f"no https address: {address}")
    with urllib.request.urlopen(address, timeout=60) as answer, target.open("wb") as file:  # noqa: S310 - checked above
        size, come = int(answer.headers.get("Content-Length") or 0), 0
        while block := answer.read(BLOCK):
            file.write(block)
            come += len(block)
            if progress:
                progress(come, size)


def _count_lines(workbook: Path) -> int:
    """Return the number of lines below the headers of all sheets."""
    from tierlens.sources.staging.workbooks import open_book

    book = open_book(workbook)
    return sum(max(book.get_sheet_by_name(name).height - 1, 0) for name in book.sheet_names)
