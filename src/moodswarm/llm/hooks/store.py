"""Stores every call as a record, in a thread of its own."""

import atexit
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import Field

from moodswarm.llm.errors import GuardRefused
from moodswarm.llm.hooks.hook import Call, HookOptions
from moodswarm.llm.messages import ChatRequest
from moodswarm.llm.redaction import Redactor
from moodswarm.records.calls import CallRecord

CallSink = Callable[[Sequence[CallRecord]], None]

logger = logging.getLogger(__name__)


class StoreOptions(HookOptions):
    """What is stored, how many calls may wait, and how long closing may take.

    Attributes:
        text: Whether prompts and answers are stored, redacted.
        queue_size: Number of calls that may wait to be written; further calls are dropped, counted
            and logged.
        flush_seconds: The longest time that closing waits for the store.
    """

    name: Literal["store"] = "store"
    text: bool = False
    queue_size: int = Field(default=10_000, ge=1)
    flush_seconds: float = Field(default=10.0, gt=0)


class StoreHook:
    """Hands finished calls to a sink in the background; a caller never waits for the store.

    Args:
        sink: Takes the records; called from a single thread, with at most 500 records at a time.
        redact: Removes secrets from errors, prompts and answers.
    """

    name = "store"
    _BATCH = 500

    def __init__(self, options: StoreOptions, sink: CallSink, redact: Redactor) -> None:
        self._options, self._sink, self._redact = options, sink, redact
        self._waiting: queue.Queue[Call | None] = queue.Queue(options.queue_size)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._failures: set[str] = set()
        #: Calls that were not stored, because the queue was full or the store failed.
        self.lost = 0

    def before(self, call: Call) -> None:
        """Do nothing: a call is stored when it has ended."""

    def after(self, call: Call) -> None:
        """Queue the call."""
        if self._thread is None or self._closed:
            self._start()
        try:
            self._waiting.put_nowait(call)
        except queue.Full:
            if self.lost == 0:
                size = self._options.queue_size
                logger.warning("calls are not stored, because %d are already waiting", size)
            self._count_lost(1)

    def close(self) -> None:
        """Write the waiting calls within `flush_seconds`, and log how many were lost."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._closed = True
        if thread is None:
            return
        atexit.unregister(self.close)
        self._ask_to_stop()
        thread.join(self._options.flush_seconds)
        if thread.is_alive():
            self._count_lost(self._waiting.qsize())
            logger.warning("the store is too slow: closing gave up waiting for it")
        if self.lost:
            logger.warning("%d calls were not stored", self.lost)

    def _ask_to_stop(self) -> None:
        try:
            self._waiting.put(None, timeout=self._options.flush_seconds)
        except queue.Full:
            logger.warning("the store does not take calls any more")

    def _count_lost(self, calls: int) -> None:
        with self._lock:
            self.lost += calls

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._closed = False
                # A daemon thread, so that a store which hangs cannot keep the interpreter from
                # ending; `atexit` gives the thread `flush_seconds` to finish.
                self._thread = threading.Thread(target=self._write, name="llm-store", daemon=True)
                self._thread.start()
                atexit.register(self.close)

    def _write(self) -> None:
        while (call := self._waiting.get()) is not None:
            calls = [call]
            last = False
            while len(calls) < self._BATCH and not last:
                try:
                    further = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if further is None:
                    last = True
                else:
                    calls.append(further)
            self._write_batch(calls)
            if last:
                return

    def _write_batch(self, calls: Sequence[Call]) -> None:
        try:
            self._sink([self._record(call) for call in calls])
        except Exception as error:  # noqa: BLE001 - calls go on, whatever a store raises
            self._count_lost(len(calls))
            kind = type(error).__name__
            if kind not in self._failures:
                self._failures.add(kind)
                logger.warning("calls are not stored, %s: %s", kind, self._redact(str(error)))

    def _record(self, call: Call) -> CallRecord:
        response, error = call.response, call.error
        keep = self._options.text
        return CallRecord(
            id=call.id,
            at=call.at,
            profile=call.profile,
            provider=call.provider,
            model=call.model,
            task=call.request.task,
            template=call.request.template,
            state=call_state(call),
            prompt_tokens=response.usage.prompt_tokens if response else None,
            completion_tokens=response.usage.completion_tokens if response else None,
            cost=response.cost if response else None,
            currency=call.currency,
            attempts=call.attempts,
            milliseconds=call.milliseconds,
            error=None if error is None or call.stopped else self._redact(str(error)),
            request_hash=call.request.content_hash(call.model),
            prompt=self._redact(_prompt(call.request)) if keep else None,
            answer=self._redact(response.text) if keep and response else None,
        )


def call_state(call: Call) -> str:
    """Return the state of a completed call, one of `CALL_STATES`."""
    if call.stopped:
        return "stopped"
    if call.error is not None:
        never_sent = isinstance(call.error, GuardRefused) and call.attempts == 0
        return "refused" if never_sent else "failed"
    if call.response is None:
        return "failed"
    return "cut_off" if call.response.finish == "length" else "answered"


def _prompt(request: ChatRequest) -> str:
    return "\n\n".join(f"{message.role}: {message.content}" for message in request.messages)
