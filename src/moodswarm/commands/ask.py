"""`moodswarm ask`: passages for a question, and an answer if a model is configured."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import click
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from moodswarm.commands.passages import (
    excerpt,
    passage_as_json,
    print_passage,
    print_sources,
    print_stages,
    stage_as_json,
)
from moodswarm.commands.printing import echo, one_line, print_json
from moodswarm.commands.project import Project, json_option, with_project
from moodswarm.commands.question_options import (
    author_option,
    day,
    kind_option,
    known_author,
    read_question,
)
from moodswarm.llm.errors import LlmError
from moodswarm.retrieval.question import MAX_HITS, BadQuestion, Filters, Question
from moodswarm.retrieval.trace import StageReport

if TYPE_CHECKING:
    from moodswarm.llm.blocking import BlockingChat
    from moodswarm.retrieval.answers import Answer
    from moodswarm.retrieval.passage import Retrieval
    from moodswarm.retrieval.retriever import Retriever

# How much of each passage is shown if there is no answer; one of several kB would hide the next.
_PASSAGE_CHARACTERS = 1_500


@dataclass(slots=True)
class _Outcome:
    """The result for a question: passages, and an answer if a model wrote one.

    Attributes:
        streamed: Whether any part of an answer is on the screen.
        warnings: Shown to the user as soon as they come up, and kept for the JSON.
    """

    retrieval: "Retrieval"
    answer: "Answer | None" = None
    streamed: bool = False
    warnings: list[str] = field(default_factory=list)

    @property
    def stages(self) -> list[StageReport]:
        return self.retrieval.trace.stages

    def warn(self, warnings: Sequence[str]) -> None:
        _warn(warnings)
        self.warnings += warnings


@click.command("ask")
@click.argument("question", nargs=-1)
@author_option
@kind_option
@click.option(
    "--since",
    metavar="DATE",
    callback=day("first"),
    help="Published then or later: 2023, 2023-05-17.",
)
@click.option("--until", metavar="DATE", callback=day("last"), help="Published then or earlier.")
@click.option(
    "-k", type=click.IntRange(1, MAX_HITS), help="How many passages.  [default: retrieval.k]"
)
@click.option("--profile", metavar="NAME", help="Answer with this profile of profiles.yml.")
@click.option("--passages", is_flag=True, help="Show the passages; ask no model for anything.")
@click.option("--explain", is_flag=True, help="Show what each stage did, its time and its scores.")
@json_option
@with_project
def ask_command(
    project: Project,
    question: tuple[str, ...],
    author: str | None,
    kind: tuple[str, ...],
    since: date | None,
    until: date | None,
    k: int | None,
    profile: str | None,
    passages: bool,
    explain: bool,
    as_json: bool,
) -> None:
    """Answer QUESTION from the corpus, with numbered sources.

    Without a language model (see `moodswarm llm check`), or when it fails, the passages are shown.
    Stages are switched in parameters_retrieval.yml. What the question itself says of its sources
    (by whom, which kind, when) narrows the search; options always hold.

    The exit code is 1 when there is neither an answer nor a passage. A question that begins with
    a dash goes after `--`.

    \b
    Examples:
      moodswarm ask "what did Mira Solano write about tea since 2023?"
      moodswarm ask "how are retries done?" --kind repository -k 3 --explain
      moodswarm ask "what is said about harbours?" --passages --json
    """
    text, cut = read_question(question)
    _warn(cut)
    if passages and profile:
        raise click.UsageError("--passages asks no model; leave out --profile")
    try:
        days = Filters(kinds=kind, since=since, until=until)
        authors = (known_author(project, author).id,) if author is not None else ()
        filters = Filters(authors, days.kinds, days.since, days.until)
        asked = Question(text, filters, k or project.retrieval.k)
    except BadQuestion as error:
        raise click.UsageError(str(error)) from error
    chat, unusable = (None, []) if passages else _open_chat(project, profile)
    retriever = project.retriever(chat, context=explain)
    outcome = _retrieve(retriever, asked, [*cut, *unusable])
    if chat and outcome.retrieval.context.sources:
        _answer(chat, outcome, show=not as_json)
    elif chat and outcome.retrieval.passages:
        outcome.warn(["no model is asked: `retrieval.context` is off or too small for a passage"])
    _show(outcome, author=bool(author), explain=explain, as_json=as_json)
    if not outcome.retrieval.passages:
        raise SystemExit(1)


def _open_chat(project: Project, profile: str | None) -> "tuple[BlockingChat | None, list[str]]":
    """Open the model; if that fails, only warn, because passages can be shown without one."""
    try:
        return project.chat(profile), []
    except LlmError as error:
        warnings = [f"no model answers: {error}"]
    except (OmegaConfBaseException, YAMLError) as error:
        warnings = [f"no model answers, as profiles.yml cannot be read: {error}"]
    _warn(warnings)
    return None, warnings


def _retrieve(retriever: "Retriever", question: Question, told: list[str]) -> _Outcome:
    outcome = _Outcome(retriever.retrieve(question), warnings=told)
    outcome.warn(outcome.retrieval.trace.warnings)
    return outcome


def _answer(chat: "BlockingChat", outcome: _Outcome, *, show: bool) -> None:
    """Stream the answer; if that fails, report the failure, and keep the passages."""
    from moodswarm.retrieval.answers import AnswerReader, answer_request

    retrieval = outcome.retrieval
    reader = AnswerReader(retrieval.context)
    with retrieval.trace.stage("answer") as report:
        try:
            for delta in chat.stream(answer_request(retrieval.question.text, retrieval.context)):
                piece = reader.read(delta)
                outcome.answer = piece.answer
                if show and piece.text:
                    echo(piece.text, nl=False)
                    outcome.streamed = True
            report.detail = _in_words(outcome.answer, chat)
        except LlmError as error:
            report.state, report.detail = "degraded", str(error)
    if outcome.streamed:
        echo("\n")
    if report.state == "degraded":
        broken = "no whole answer" if outcome.streamed else "no model answers"
        outcome.warn([f"{broken}: {report.detail}"])
    elif outcome.answer:
        outcome.warn(outcome.answer.warnings)


def _in_words(answer: "Answer | None", chat: "BlockingChat") -> str:
    if answer is None:
        return ""
    prompt, completion = answer.usage.prompt_tokens, answer.usage.completion_tokens
    parts = [f"by {answer.model or chat.model}", f"{prompt or '?'} + {completion or '?'} tokens"]
    if answer.cost is not None:
        parts.append(f"{answer.cost:.6f} {_currency(chat)}")
    return ", ".join(parts)


def _currency(chat: "BlockingChat") -> str:
    price = chat.client.options.price
    return price.currency if price else ""


def _show(outcome: _Outcome, *, author: bool, explain: bool, as_json: bool) -> None:
    retrieval, answer = outcome.retrieval, outcome.answer
    if as_json:
        print_json(_as_json(outcome, explain=explain))
        return
    if not retrieval.passages:
        echo(_nothing_found(outcome, author=author))
    elif answer and answer.text:
        print_sources(retrieval.context.sources, answer.cited)
    else:
        for number, passage in enumerate(retrieval.passages, 1):
            print_passage(number, passage.hit, excerpt(passage, _PASSAGE_CHARACTERS))
    if explain:
        print_stages(outcome.stages)


def _nothing_found(outcome: _Outcome, *, author: bool) -> str:
    """Say which filter left nothing, and what to leave out."""
    filters = outcome.retrieval.filters
    given = {
        "--author": author,
        "--kind": bool(filters.kinds),
        "--since": filters.since is not None,
        "--until": filters.until is not None,
    }
    why = next((f": {s.detail}" for s in outcome.stages if s.stage == "filters"), "")
    options = [name for name, present in given.items() if present]
    remedy = f"; leave out {' or '.join(options)}" if options else "; ask in other words"
    return f"Nothing found{why}{remedy}."


def _as_json(outcome: _Outcome, *, explain: bool) -> dict[str, Any]:
    retrieval, answer = outcome.retrieval, outcome.answer
    found: dict[str, Any] = {
        "question": retrieval.question.text,
        "filters": asdict(retrieval.filters),
        "queries": list(retrieval.queries),
        "answer": asdict(answer) if answer else None,
        "passages": [passage_as_json(n, p) for n, p in enumerate(retrieval.passages, 1)],
        "sources": [
            {"number": source.number, "id": source.passage.hit.id, "text": source.text}
            for source in retrieval.context.sources
        ],
        "warnings": outcome.warnings,
    }
    if explain:
        found["milliseconds"] = round(retrieval.trace.milliseconds, 3)
        found["stages"] = [stage_as_json(stage) for stage in outcome.stages]
    return found


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        # Warnings are not printed with rich, which would wrap them: each stays one line.
        echo(f"warning: {one_line(warning)}", err=True, fg="yellow")
