import logging
import os
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from tunewright.nouns import Progress
from tunewright.shelf import missing
from tunewright.trackers import Run, Tracker, numbers

EVERY = 5.0
"""Seconds between two messages to the store."""
FULL = 900
"""Numbers in one message; a server takes 1000 at most."""
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
"""Documented by MLflow as the ways to switch its usage tracking off; read when it is imported."""
PATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
"""A server that does not answer must not hold the training up: by default it is asked for many minutes."""


def mlflow(place: Path, run: Run) -> Tracker:
    """A run in MLflow: the recipe as parameters, numbers by step, digests as tags.

    It goes to the server or store that MLFLOW_TRACKING_URI names. Without that it is a SQLite file below
    `out/mlflow`; look at it with `mlflow ui --backend-store-uri sqlite:///out/mlflow/mlflow.db`. MLflow's
    own usage tracking is switched off. A stopped training goes on in the same run.

    Limits: a server has to answer within ten seconds. Weights and documents are not sent. When a stopped
    training goes on, the steps after its last checkpoint stand in the run twice.
    """
    return _Tracked(place, run)


class _Tracked:
    def __init__(self, place: Path, run: Run) -> None:
        self.batch = list[Any]()
        self.last = time.monotonic()
        where = os.environ.get("MLFLOW_TRACKING_URI", "")
        with _quiet():
            try:
                self.entities: Any = import_module("mlflow.entities")
                client: Any = import_module("mlflow.tracking").MlflowClient
            except ModuleNotFoundError as error:
                raise missing(error, "trackers/mlflow") from error
        with _quiet():  # again: importing it sets what its loggers say
            files = ""
            if not where:
                place.mkdir(parents=True, exist_ok=True)
                where, files = f"sqlite:///{place / 'mlflow.db'}", (place / "artifacts").as_uri()
            self.client = client(tracking_uri=where)
            found = self.client.get_experiment_by_name(run.project)
            experiment = (
                found.experiment_id
                if found
                else self.client.create_experiment(run.project, artifact_location=files or None)
            )
            again = self.client.search_runs(
                [experiment], f"tags.`tunewright.work` = '{run.key}' and attributes.status != 'FINISHED'"
            )
            if again:
                self.id = again[0].info.run_id
                self.client.update_run(self.id, status="RUNNING")
                return
            tags = {"tunewright.work": run.key, **{f"tunewright.{k}": v for k, v in run.tags.items()}}
            self.id = self.client.create_run(experiment, run_name=run.name, tags=tags).info.run_id
            params = [self.entities.Param(k, str(v)[:500]) for k, v in run.params.items()]
            self.client.log_batch(self.id, params=params[:100])

    def tell(self, progress: Progress) -> None:
        """Metrics by step, several steps to a message."""
        now = int(time.time() * 1000)
        for name, value in numbers(progress).items():
            self.batch.append(self.entities.Metric(name, float(value), now, int(progress.done)))
        if len(self.batch) >= FULL or time.monotonic() - self.last > EVERY:
            self._send()

    def close(self, facts: Mapping[str, JsonValue]) -> None:
        """The digest of the model as a tag, and whether it came to an end."""
        self._send()
        with _quiet():
            if "model" in facts:
                self.client.set_tag(self.id, "tunewright.model", str(facts["model"]))
            self.client.set_terminated(self.id, "FINISHED" if facts else "KILLED")

    def _send(self) -> None:
        batch, self.batch, self.last = self.batch, [], time.monotonic()
        with _quiet():
            for at in range(0, len(batch), FULL):
                self.client.log_batch(self.id, metrics=batch[at : at + FULL])


@contextmanager
def _quiet() -> Iterator[None]:
    """Without usage tracking, warnings and notices."""
    os.environ.update(QUIET)
    for name, value in PATIENT.items():
        os.environ.setdefault(name, value)
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for logger in loggers:
                logger.setLevel(logging.ERROR)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
