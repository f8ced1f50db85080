"""The progress of a run: a bar in a terminal, log lines elsewhere."""

import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.pipeline.node import Node

logger = logging.getLogger(__name__)


class Progress:
    """Shows how many of its pages a node has read: a bar in a terminal, log lines elsewhere."""

    def __init__(self) -> None:
        self._bar: Any = None

    @hook_impl
    def before_node_run(self, node: Node, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Watch the node's first input that has pages to read or links to visit."""
        from moodswarm.datasets.batches import Batches
        from moodswarm.datasets.ledger import CrawlLedger

        self._stop()
        for name in node.inputs:
            pages = inputs[name]
            if isinstance(pages, Batches) and len(pages) > 1:
                return {name: pages.watched(self._track(node.name, name, pages.num_rows))}
            if isinstance(pages, CrawlLedger):
                return {name: pages.watched(self._follow(node.name))}
        return None

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Take the bar away."""
        self._stop()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Take the bar away."""
        self._stop()

    def _track(self, node: str, rows_of: str, total: int) -> Callable[[int], None]:
        if not sys.stderr.isatty():
            return _LoggedProgress(node, rows_of, total).advance
        bar, task = self._start(node, rows_of, total)
        return lambda rows: bar.advance(task, rows)

    def _follow(self, node: str) -> Callable[[int, int], None]:
        """Show how many of the links known so far were visited; the crawl finds more as it goes."""
        if not sys.stderr.isatty():
            return _LoggedVisits(node).show
        bar, task = self._start(node, "links", 0)
        return lambda visited, known: bar.update(task, completed=visited, total=known)

    def _start(self, node: str, rows_of: str, total: int) -> tuple[Any, Any]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(rows_of),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        task = self._bar.add_task(node, total=total)
        self._bar.start()
        return self._bar, task

    def _stop(self) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None


class _LoggedProgress:
    """Writes a log line after every tenth of the rows."""

    def __init__(self, node: str, rows_of: str, total: int) -> None:
        self._label = (node, rows_of)
        self._total = total
        self._done = 0

    def advance(self, rows: int) -> None:
        before = self._done * 10 // max(1, self._total)
        self._done += rows
        if self._done * 10 // max(1, self._total) > before:
            logger.info("%s: %d of %d %s", self._label[0], self._done, self._total, self._label[1])


class _LoggedVisits:
    """Writes a log line after every hundred links."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._shown = 0

    def show(self, visited: int, known: int) -> None:
        if visited // 100 > self._shown:
            self._shown = visited // 100
            logger.info("%s: %d of %d links known so far", self._node, visited, known)
