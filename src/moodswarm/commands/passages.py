"""Shows passages, sources and the reports on stages."""

from collections.abc import Collection, Sequence
from typing import Any

from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from moodswarm.pipelines.console import console
from moodswarm.retrieval.context import TITLE_CHARACTERS, one_line
from moodswarm.retrieval.passage import Passage, Source
from moodswarm.retrieval.trace import StageReport
from moodswarm.stores.vectors.protocol import Hit

SNIPPET_CHARACTERS = 400
_SHOWN_SCORES = 3
_STATE_COLOURS = {"ran": "green", "off": "dim", "skipped": "dim", "degraded": "yellow"}


def print_passage(number: int, hit: Hit, text: str) -> None:
    """Print a passage with its title, author, date and link."""
    out = console()
    heading = f"[bold]{number}. {escape(_title(hit))}[/bold]  [cyan]{hit.score:.3f}[/cyan]"
    out.print(f"{heading}  [dim]{escape(_about(hit))}[/dim]")
    out.print(f"   [blue]{_link(hit)}[/blue]", soft_wrap=True)
    out.print(Padding(Text(text), (0, 0, 1, 3)))


def beginning(text: str, characters: int = SNIPPET_CHARACTERS) -> str:
    """Return at most this many characters from the beginning of a text; `…` marks a cut."""
    return text if len(text) <= characters else text[:characters].rstrip() + "…"


def excerpt(passage: Passage, characters: int) -> str:
    """Return the hits of a passage, and as much text around the best hit as there is room for.

    Args:
        passage: The passage. Its best hit has priority, and is cut at its end if it is too long.
        characters: The most characters of the passage to return.
    """
    text = passage.text
    if len(text) <= characters:
        return text
    (start, end), *others = passage.spans()
    end = min(end, start + characters)
    left = characters - (end - start)
    shown = []
    for span in others:
        if (size := span[1] - span[0]) <= left:
            shown.append(span)
            left -= size
    before = min(start, left // 2)
    after = min(len(text) - end, left - before)
    start, end = _at_words(text, start - before, start), _at_words(text, end + after, end)
    return _joined(text, [(start, end), *shown])


def _at_words(text: str, place: int, toward: int) -> int:
    """Return the place nearest to `place`, looking toward `toward`, that does not cut a word."""
    if place in (0, len(text)):
        return place
    if place < toward:
        return next((at for at in range(place, toward) if text[at - 1].isspace()), toward)
    return next((at for at in range(place, toward, -1) if text[at].isspace()), toward)


def _joined(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return parts of a text in the text's order, with a mark where something is left out."""
    parts: list[str] = []
    done = 0
    for start, end in sorted(spans):
        if start > done:
            parts += ["…" if not parts else " … "]
        parts.append(text[max(start, done) : end])
        done = max(done, end)
    return "".join(parts).rstrip() + ("…" if done < len(text) else "")


def print_sources(sources: Sequence[Source], cited: Collection[int]) -> None:
    """Print numbered sources, with a star at those that an answer cites."""
    out = console()
    out.print("[bold]Sources[/bold]  [dim]* cited[/dim]" if cited else "[bold]Sources[/bold]")
    for source in sources:
        hit = source.passage.hit
        star, style = ("*", "bold") if source.number in cited else (" ", "dim")
        title = f"[{style}]{escape(_title(hit))}[/{style}]"
        out.print(f"{star} \\[{source.number}] {title}  [dim]{escape(_about(hit))}[/dim]")
        out.print(f"      [blue]{_link(hit)}[/blue]", soft_wrap=True)


def print_stages(stages: Sequence[StageReport]) -> None:
    """Print what each stage did, its wall time, and the scores of its first hits."""
    table = Table("stage", "state", "ms", "scores", "detail")
    table.columns[2].justify = "right"
    for stage in stages:
        colour = _STATE_COLOURS[stage.state]
        scores = " ".join(f"{score:.3f}" for _, score in stage.scores[:_SHOWN_SCORES])
        more = " …" if len(stage.scores) > _SHOWN_SCORES else ""
        milliseconds = "" if stage.state in ("off", "skipped") else f"{stage.milliseconds:,.1f}"
        state = f"[{colour}]{stage.state}[/{colour}]"
        table.add_row(stage.stage, state, milliseconds, scores + more, escape(stage.detail))
    console().print(table)


def hit_as_json(hit: Hit) -> dict[str, Any]:
    """Return a hit as it is printed in JSON."""
    return {"id": hit.id, "score": hit.score, "collection": hit.collection, **hit.payload}


def passage_as_json(number: int, passage: Passage) -> dict[str, Any]:
    """Return a passage as it is printed in JSON: its hit, with the text around it."""
    return {
        "number": number,
        **hit_as_json(passage.hit),
        "passage": passage.text,
        "positions": list(passage.positions),
        "scores": passage.scores,
    }


def stage_as_json(stage: StageReport) -> dict[str, Any]:
    """Return a stage as it is printed in JSON."""
    return {
        "stage": stage.stage,
        "state": stage.state,
        "milliseconds": round(stage.milliseconds, 3),
        "detail": stage.detail,
        "scores": [{"id": id_, "score": score} for id_, score in stage.scores],
    }


def _title(hit: Hit) -> str:
    payload = hit.payload
    title = payload.get("title") or payload.get("path") or payload["kind"]
    return one_line(title, TITLE_CHARACTERS)


def _link(hit: Hit) -> str:
    return escape(str(hit.payload["link"]))


def _about(hit: Hit) -> str:
    payload = hit.payload
    date = (payload.get("published_at") or "")[:10]
    parts = (payload["author_full_name"], payload["platform"], date)
    return " · ".join(filter(None, parts))
