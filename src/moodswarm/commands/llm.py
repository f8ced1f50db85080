"""`moodswarm llm`: which language model is configured, and does it answer?"""

from dataclasses import asdict, dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape
from rich.table import Table

from moodswarm.commands.printing import echo, one_line, print_json
from moodswarm.commands.project import Project, json_option, with_project
from moodswarm.llm.errors import LlmError
from moodswarm.llm.messages import ChatRequest, ChatResponse, Message
from moodswarm.pipelines.console import console

if TYPE_CHECKING:
    from moodswarm.llm.profiles import ProfileSummary

_RULE = "You are being tried out. Answer in one word."
_QUESTION = "Answer with the one word that completes this: the tide comes in and goes"
# This leaves room for models that think before they answer; others use only a few of these tokens.
_MAX_TOKENS = 512
_HOW = (
    "No profile is chosen. Everything except answers works without one. Choose one of {known}:\n"
    "  MOODSWARM_LLM_PROFILE={first} moodswarm llm check     or `profile: {first}` in "
    "conf/local/profiles.yml\n"
    "conf/base/profiles.yml describes each of them, and shows how to write your own."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    """The result of one call; `error` says what failed and what to do."""

    text: str = ""
    error: str | None = None
    milliseconds: float = 0.0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: float | None = None
    attempts: int = 0
    model: str = ""


@click.group("llm")
def llm_group() -> None:
    """Look at the configured language model."""


@llm_group.command("check")
@click.option("--profile", metavar="NAME", help="Check this one instead of the chosen one.")
@json_option
@with_project
def check_command(project: Project, profile: str | None, as_json: bool) -> None:
    """Show what is configured, ask one tiny question, and show what it cost.

    The call is a real one of about 40 tokens, of the same form as those of `moodswarm ask`. The
    exit code is 1 if the model does not answer. It is 0 if no model is configured.

    \b
    Examples:
      moodswarm llm check
      moodswarm llm check --profile fake      no network, no key, no cost
    """
    from moodswarm.llm.profiles import describe

    summary = describe(project.llm_settings, profile=profile)
    known = tuple(project.llm_settings.profiles)
    if summary is None:
        if as_json:
            print_json({"chosen": None, "known": known, "reply": None})
        else:
            names = ", ".join(known) or "none; there is no profiles.yml"
            echo(_HOW.format(known=names, first=known[0] if known else "NAME"))
        return
    if not as_json:
        _print_summary(summary)
    reply = _ask(project, profile)
    if as_json:
        print_json({"chosen": asdict(summary), "known": known, "reply": asdict(reply)})
    else:
        price = project.llm_settings.profiles[summary.name].price
        _print_reply(reply, price.currency if price else "")
    if reply.error:
        raise SystemExit(1)


def _ask(project: Project, profile: str | None) -> _Reply:
    # Like `ask`, send a system message, and let the answer arrive piece by piece.
    messages = (Message("system", _RULE), Message("user", _QUESTION))
    request = ChatRequest(messages=messages, max_tokens=_MAX_TOKENS, task="check")
    started = perf_counter()
    try:
        chat = project.chat(profile)
        if chat is None:
            return _Reply(error="no profile is chosen")
        started = perf_counter()  # Loading the provider's package is not part of the call.
        *_, last = chat.stream(request)
        return _reply(last.response or ChatResponse(text=""), (perf_counter() - started) * 1000)
    except LlmError as error:
        return _Reply(error=str(error), milliseconds=(perf_counter() - started) * 1000)


def _reply(response: ChatResponse, milliseconds: float) -> _Reply:
    from moodswarm.llm.tasks.thinking import without_thinking

    text = without_thinking(response.text)
    error = None
    if response.finish == "length":
        error = (
            f"The answer was cut off at {_MAX_TOKENS} tokens. Switch the model's thinking off, or "
            "choose another model."
        )
    elif not text:
        error = "The answer is empty. Look at the log of the endpoint, or choose another model."
    return _Reply(
        text=text,
        error=error,
        milliseconds=milliseconds,
        prompt_tokens=response.usage.prompt_tokens,
        completion_tokens=response.usage.completion_tokens,
        cost=response.cost,
        attempts=response.attempts,
        model=response.model,
    )


def _print_summary(summary: "ProfileSummary") -> None:
    table = Table(show_header=False)
    rows: dict[str, Any] = {
        "profile": f"{summary.name} (of {', '.join(summary.known)})",
        "provider": summary.provider,
        "address": summary.address or "none, nothing is called",
        "model": summary.model,
        "key": summary.key,
        "price": summary.price,
        "hooks, in order": ", ".join(summary.hooks) or "none",
        "at once": f"{summary.concurrency} calls",
    }
    for name, value in rows.items():
        table.add_row(name, escape(str(value)))
    console().print(table)


def _print_reply(reply: _Reply, currency: str) -> None:
    if reply.text:
        console().print("[bold]answer[/bold]", escape(one_line(reply.text)[:300]))
    if reply.error:
        echo(f"FAILED: {reply.error}", err=True, fg="red")
    if not reply.attempts:
        return
    tokens = [reply.prompt_tokens, reply.completion_tokens]
    counted = " + ".join("?" if count is None else str(count) for count in tokens)
    if reply.cost is None:
        cost = "cost unknown (the profile has no price, or the endpoint does not count tokens)"
    else:
        cost = f"cost {reply.cost:.6f} {currency}"
    echo(f"{counted} tokens (prompt + answer), {reply.milliseconds:,.0f} ms, {cost}")
