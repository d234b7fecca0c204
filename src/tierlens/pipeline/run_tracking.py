"""A run and the tracking store: made ready while the run computes, told of the run, and last of how it ended."""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path
from types import TracebackType

from tierlens.errors import MissingExtraError, UsageError
from tierlens.publish.tracking.records import REFUSED, RunRecord
from tierlens.publish.tracking.store_address import not_tracked
from tierlens.workspace.progress import Tell


class Tracking:
    """The tracking of one run, from before it computes until its folder is in place.

    As a context manager it says at the end how the run ended: ``FINISHED`` after the block, ``KILLED`` where a signal
    broke it off, ``FAILED`` after any other error; models get their names in the registry after the block. A store that
    refuses is told of: the run itself is as good as any.

    Parameters
    ----------
    home : Path
        Folder of the store, where no other is named.
    tell : callable
        Takes what the user is told.

    Raises
    ------
    MissingExtraError
        mlflow is not installed: told before anything is computed.
    """

    def __init__(self, home: Path, tell: Tell) -> None:
        if importlib.util.find_spec("mlflow") is None:
            raise MissingExtraError("track", "mlflow")
        self.home, self.tell, self.run_id = home, tell, ""
        self._failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._warm_up, daemon=True)
        self._thread.start()

    def _warm_up(self) -> None:
        from tierlens.publish.tracking.mlflow_store import warm_up

        try:
            warm_up(self.home)
        except BaseException as problem:  # told by the step that needs the store, not by a thread
            self._failed.append(problem)

    def keep(self, record: RunRecord) -> str:
        """Keep a run that is not over yet; return its id, empty where the store refuses."""
        from tierlens.publish.tracking.mlflow_store import track_run

        try:
            self._thread.join()
            if self._failed:
                raise self._failed[0]
            done = track_run(record, self.home, is_over=False)
        except UsageError as problem:
            self._told(problem)
            return ""
        self.run_id = done.run_id
        return self.run_id

    def __enter__(self) -> Tracking:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.run_id:
            return
        from tierlens.publish.tracking.mlflow_store import end_run
        from tierlens.publish.tracking.open_runs import broken_off

        try:
            for model in end_run(self.run_id, self.home, "FINISHED" if problem is None else broken_off(problem)):
                self.tell(model.say())
        except UsageError as refused:
            self._told(refused)

    def _told(self, problem: UsageError) -> None:
        if problem.code != REFUSED:
            raise problem
        self.tell(not_tracked(problem))
