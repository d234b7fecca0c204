"""What files made of simulated data say of themselves; files of real data say nothing."""

from __future__ import annotations

import pyarrow as pa

from tierlens.words import Text

DATA_NOTE = "data_note"
"""Column of the note; tables in both languages have it twice, with the ending ``_en`` and ``_zh``."""

SIMULATED = Text("simulated data, no real customers", "模拟数据，并非真实客户")


def with_data_note(table: pa.Table, is_simulated: bool) -> pa.Table:
    """Return a table whose rows say in both languages that they are simulated; of real data the table itself.

    Examples
    --------
    >>> with_data_note(pa.table({"customer_id": ["1"]}), True).to_pylist()[0]["data_note_zh"]
    '模拟数据，并非真实客户'
    >>> with_data_note(pa.table({"customer_id": ["1"]}), False).column_names
    ['customer_id']
    """
    if not is_simulated:
        return table
    for lang, said in (("en", SIMULATED.en), ("zh", SIMULATED.zh)):
        table = table.append_column(f"{DATA_NOTE}_{lang}", pa.array([said] * table.num_rows, pa.string()))
    return table
