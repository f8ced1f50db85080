"""Makes a plan from a question: its filters by self-query, its queries by expansion.

Filters are read by rules, or by a model if the parameters ask for one; expansions need a model.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import partial

from moodswarm.llm.blocking import BlockingChat
from moodswarm.llm.errors import LlmError
from moodswarm.records import Author
from moodswarm.retrieval.parameters import RetrievalParams
from moodswarm.retrieval.plan import Plan
from moodswarm.retrieval.planning.expansion import other_wordings
from moodswarm.retrieval.planning.model_query import ask_model
from moodswarm.retrieval.planning.self_query import (
    MAX_CHARACTERS,
    WantedSources,
    narrow,
    read_question,
    search_text,
    span,
)
from moodswarm.retrieval.question import Filters, Question
from moodswarm.retrieval.trace import StageReport, Trace


class Planner:
    """Understands questions by rules, and by a model if there is one; see `Understanding`.

    Args:
        params: The parameters, of which `self_query` and `expansion` are used.
        chat: The model that writes expansions, and reads filters if `self_query.use_model` is on;
            it belongs to the caller. None to use rules alone.
        today: Returns the day that `last year` is counted from; by default today in UTC.
    """

    def __init__(
        self,
        params: RetrievalParams,
        chat: BlockingChat | None = None,
        *,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._params, self._chat, self._today = params, chat, today

    def plan(self, question: Question, authors: Sequence[Author], trace: Trace) -> Plan:
        """Return the plan, and add the stages `self_query` and `expansion` to the trace."""
        filters, found = self._filters(question, authors, trace)
        text = search_text(question.text, filters, found)
        if text != question.text:
            trace.stages[-1].detail += f"; searched for: {text}"
        queries = (text, *self._expansions(text, trace))
        return Plan(filters, tuple(dict.fromkeys(queries)), asked_for=in_words(found))

    def _filters(
        self, question: Question, authors: Sequence[Author], trace: Trace
    ) -> tuple[Filters, WantedSources]:
        if not self._params.self_query.enabled:
            trace.note("self_query", "off")
            return question.filters, WantedSources()
        if len(question.text) > MAX_CHARACTERS:
            trace.note(
                "self_query",
                "skipped",
                f"the question has {len(question.text):,} characters; filters are read from up "
                f"to {MAX_CHARACTERS:,}",
            )
            return question.filters, WantedSources()
        with trace.stage("self_query") as report:
            found = self._read(question.text, authors, report)
            filters, conflicts = narrow(question.filters, found)
            report.detail = "; ".join(filter(None, (report.detail, in_words(found))))
            if conflicts:
                report.state = "degraded"
                report.detail += f"; left out: {'; '.join(conflicts)}"
        return filters, found

    def _read(self, text: str, authors: Sequence[Author], report: StageReport) -> WantedSources:
        by_rules = partial(read_question, text, authors, self._today())
        if not self._params.self_query.use_model:
            return by_rules()
        if self._chat is None:
            report.detail = "by rules, as no model is configured"
            return by_rules()
        try:
            return self._chat.run(
                partial(ask_model, self._chat.client, text, authors, self._today()),
                timeout_seconds=self._params.self_query.timeout_seconds,
            )
        except LlmError as error:
            report.state = "degraded"
            report.detail = f"by rules, as the model failed: {error}"
            return by_rules()

    def _expansions(self, text: str, trace: Trace) -> tuple[str, ...]:
        params = self._params.expansion
        if not params.enabled:
            trace.note("expansion", "off")
            return ()
        if self._chat is None:
            trace.note("expansion", "skipped", "no model is configured")
            return ()
        with trace.stage("expansion") as report:
            try:
                wordings = self._chat.run(
                    partial(other_wordings, self._chat.client, text, params.queries),
                    timeout_seconds=params.timeout_seconds,
                )
            except LlmError as error:
                report.state = "degraded"
                report.detail = f"the question alone is searched for: {error}"
                return ()
            report.detail = " | ".join(wordings) or "the model returned no other wording"
        return wordings


def in_words(found: WantedSources) -> str:
    """Say what a question asks for, such as `by Mira Solano, kind post, since 2022-03-01`."""
    parts = [f"by {' or '.join(author.full_name for author in found.authors)}"] * bool(
        found.authors
    )
    parts += [f"kind {' or '.join(found.kinds)}"] * bool(found.kinds)
    parts.append(span(found.days.since, found.days.until))
    return ", ".join(filter(None, parts)) or "no filter in the question"
