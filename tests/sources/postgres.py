"""A real PostgreSQL server for tests, from Debian's package, in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any


def binaries() -> Path | None:
    """The folder that holds initdb and postgres; the newest of Debian's, else that on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


def _as_somebody() -> dict[str, Any]:
    """The server refuses to run as root: name the user who runs it then."""
    if os.geteuid() != 0:
        return {}
    names = {user.pw_name for user in pwd.getpwall()}
    who = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve an empty cluster under a folder of initdb and postgres; yield its address."""
    somebody = _as_somebody()
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    if somebody:
        os.chown(home, somebody["user"], somebody["group"])
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": home, **somebody}
    data, port = home / "data", _free_port()
    make = [folder / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run(list(map(str, make)), check=True, timeout=120, **quiet)
    settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": home, "fsync": "off"}
    run = [str(folder / "postgres"), "-D", str(data), *(f"--{name}={value}" for name, value in settings.items())]
    server = subprocess.Popen(run, **quiet)
    address = f"postgresql://tester:secret@127.0.0.1:{port}/postgres"
    try:
        _wait(address)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=60)
        shutil.rmtree(home, ignore_errors=True)


def _wait(address: str) -> None:
    from adbc_driver_postgresql import dbapi

    for attempt in range(200):
        try:
            dbapi.connect(address).close()
            return
        except dbapi.Error:
            if attempt == 199:
                raise
            time.sleep(0.1)


def run_sql(address: str, *statements: str) -> None:
    """Run statements and commit."""
    from adbc_driver_postgresql import dbapi

    with closing(dbapi.connect(address)) as server, closing(server.cursor()) as cursor:
        for statement in statements:
            cursor.execute(statement)
        server.commit()
