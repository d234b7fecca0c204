"""The secret of a run home: what the store keeps of customers is keyed with it, and it never leaves the machine."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from tierlens.publish.tracking.store_address import place_file
from tierlens.scratch import scratch_folder

KEY = ".tierlens-key"
"""File of the secret, for its owner alone. Where it is lost, later models cannot be compared with earlier ones."""
SIZE = 32


def key_of(home: Path) -> bytes:
    """Return the secret of a run home; made of random bytes where there is none.

    Raises
    ------
    OSError
        When it can neither be read nor made.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     one, again = key_of(Path(home)), key_of(Path(home))
    >>> len(one), one == again
    (32, True)
    """
    file = home / KEY
    if not file.exists():
        with scratch_folder(home) as folder:
            new = folder / KEY
            new.write_bytes(secrets.token_bytes(SIZE))
            with suppress(FileExistsError):  # another command was first; its secret is used
                place_file(new, file)
    return file.read_bytes()
