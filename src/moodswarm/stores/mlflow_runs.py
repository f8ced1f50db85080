"""Runs in MLflow's SQLite database, written without importing MLflow.

Importing MLflow's own database client takes more CPU time than a whole run in which nothing
changed. This module writes the same rows as that client. Creating databases and experiments is left
to MLflow, and so is everything if the table layout is not the one known here.
"""

import math
import posixpath
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname
from uuid import uuid4

from moodswarm.stores.errors import StoreUnavailable

# The table layout of MLflow 3.17, named by its Alembic revision. Before another layout is added
# here, the tracking tests must have passed with the MLflow release that introduced it.
KNOWN_LAYOUT = "dc11669786a5"

PARAMETER_LIMIT = 6000
_TAG_LIMIT = 8000
_NAME_LIMIT = 250
_NAME = re.compile(r"[/\w.\- :]*")
_LARGEST = 1.7976931348623157e308
_LOCK_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class Experiment:
    """An experiment whose artifacts are files."""

    id: int
    artifact_uri: str


class MlflowRuns:
    """The runs in one database. Each call is one transaction, on its own connection."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def experiment(self, name: str) -> Experiment | None:
        """Find an experiment to write runs into.

        Returns:
            The experiment, or None if MLflow itself is needed: there is no database yet, its tables
            have another layout, it has no active experiment with that name, or the artifacts are
            not kept in a local folder.
        """
        try:
            with self._transaction() as rows:
                layout = rows.execute("SELECT version_num FROM alembic_version").fetchall()
                found = rows.execute(
                    "SELECT experiment_id, artifact_location FROM experiments WHERE name = ? "
                    "AND workspace = 'default' AND lifecycle_stage = 'active'",
                    (name,),
                ).fetchone()
        except StoreUnavailable:
            return None
        if layout != [(KNOWN_LAYOUT,)] or found is None or not _is_folder(found[1]):
            return None
        return Experiment(*found)

    def start_run(
        self, experiment: Experiment, name: str, user: str, tags: Mapping[str, Any]
    ) -> str:
        """Record that a run has begun, and return its id."""
        run = uuid4().hex
        artifacts = f"{experiment.artifact_uri.rstrip('/')}/{run}/artifacts"
        with self._transaction() as rows:
            rows.execute(
                "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, "
                "user_id, status, start_time, source_version, lifecycle_stage, artifact_uri, "
                "experiment_id) VALUES (?, ?, 'UNKNOWN', '', '', ?, 'RUNNING', ?, '', 'active', "
                "?, ?)",
                (run, name, user, _now(), artifacts, experiment.id),
            )
            _write_tags(rows, run, tags)
        return run

    def set_tags(self, run: str, tags: Mapping[str, Any]) -> None:
        """Write tags, replacing those with the same names."""
        with self._transaction() as rows:
            _write_tags(rows, run, tags)

    def log_parameters(self, run: str, parameters: Mapping[str, Any]) -> None:
        """Write parameters.

        Raises:
            ValueError: MLflow would not accept a name, or a parameter already has another value.
        """
        written = {_checked(name): str(value) for name, value in parameters.items()}
        with self._transaction() as rows:
            before = dict(
                rows.execute("SELECT key, value FROM params WHERE run_uuid = ?", (run,)).fetchall()
            )
            for name, value in written.items():
                if before.get(name, value) != value:
                    raise ValueError(
                        f"The parameter {name} is {before[name]} in this run already, and cannot "
                        f"become {value}. Use one value for all nodes of a run."
                    )
            rows.executemany(
                "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
                [(name, value, run) for name, value in written.items() if name not in before],
            )

    def log_metrics(self, run: str, metrics: Mapping[str, float]) -> None:
        """Write metrics, all with the time of this call.

        Raises:
            ValueError: MLflow would not accept a name or a value.
        """
        now = _now()
        values = [(_checked(name), *_value(name, value)) for name, value in metrics.items()]
        written = [(name, value, nan, now, run) for name, value, nan in values]
        columns = "(key, value, is_nan, timestamp, run_uuid, step) VALUES (?, ?, ?, ?, ?, 0)"
        with self._transaction() as rows:
            rows.executemany(f"INSERT OR IGNORE INTO metrics {columns}", written)
            rows.executemany(f"INSERT OR REPLACE INTO latest_metrics {columns}", written)

    def end_run(self, run: str, status: str) -> None:
        """Record how and when a run ended."""
        with self._transaction() as rows:
            rows.execute(
                "UPDATE runs SET status = ?, end_time = ? WHERE run_uuid = ?", (status, _now(), run)
            )

    def artifact_folder(self, run: str) -> Path:
        """Create the folder for the files of a run, and return it."""
        with self._transaction() as rows:
            [uri] = rows.execute(
                "SELECT artifact_uri FROM runs WHERE run_uuid = ?", (run,)
            ).fetchone()
        folder = Path(url2pathname(urlparse(uri).path))
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        # Opened as a URI because a plain path would create the file if it is missing.
        uri = f"{self._path.absolute().as_uri()}?mode=rw"
        try:
            with (
                closing(sqlite3.connect(uri, uri=True, timeout=_LOCK_TIMEOUT_SECONDS)) as rows,
                rows,
            ):
                yield rows
        except sqlite3.Error as error:
            raise StoreUnavailable(
                f"MLflow's database {self._path} cannot be used: {error}. Look for a process that "
                "holds it, or switch recording off by `disable_tracking` in conf/local/mlflow.yml."
            ) from error


def _write_tags(rows: sqlite3.Connection, run: str, tags: Mapping[str, Any]) -> None:
    rows.executemany(
        "INSERT OR REPLACE INTO tags (key, value, run_uuid) VALUES (?, ?, ?)",
        [(_checked(name), str(value)[:_TAG_LIMIT], run) for name, value in tags.items()],
    )


def _is_folder(artifact_uri: str) -> bool:
    parts = urlparse(artifact_uri)
    return parts.scheme == "file" and not (parts.netloc or parts.query or parts.fragment)


def _checked(name: str) -> str:
    """Refuse the names that MLflow refuses, whose file stores use names as paths."""
    changed = posixpath.normpath(name) != name or name == "." or name.startswith(("..", "/"))
    if changed or len(name) > _NAME_LIMIT or not _NAME.fullmatch(name):
        raise ValueError(
            f"MLflow does not take the name {name!r}. Use at most {_NAME_LIMIT} letters, digits, "
            "spaces and the characters _ - . : /, and no path that leads elsewhere."
        )
    return name


def _value(name: str, value: Any) -> tuple[float, bool]:
    """Return a number as the database holds it, and whether it stands for NaN."""
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"The metric {name} is {value!r}. MLflow takes numbers only.") from error
    if math.isnan(number):
        return 0.0, True
    return max(-_LARGEST, min(_LARGEST, number)), False


def _now() -> int:
    return int(time.time() * 1000)
