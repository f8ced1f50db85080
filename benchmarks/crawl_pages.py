"""The pages that `crawl.py` crawls, and the server that serves them."""

import asyncio
import random
import time
from multiprocessing.connection import Connection

HOSTS = [f"127.0.0.{number}" for number in range(1, 9)]
_WORDS = (
    "the kettle sings because somebody has put it on a stove that was bought in spring and nobody "
    "knows why a model should be asked for tea when water tells more about heat than any chart of "
    "a system that learns from what people write about their kitchens and never from the kitchen"
).split()
_STYLE = (
    "<style>" + "".join(f".c{n}{{margin:{n}px;color:#{n:06x}}}" for n in range(250)) + "</style>"
)
_ASIDE = "".join(
    f'<li class="c{n}"><a href="/tag/{n}" data-track="aside-{n}">A tag with number {n}</a></li>'
    for n in range(60)
)


def make_page(number: int) -> bytes:
    """Return an article of about 30 KB of HTML, with some 1,500 words of text."""
    draw = random.Random(number)

    def sentence() -> str:
        words = draw.choices(_WORDS, k=draw.randint(8, 22))
        return " ".join(words).capitalize() + "."

    parts = []
    for section in range(8):
        parts.append(f'<h2 id="s{section}">{sentence()[:40]}</h2>')
        for _ in range(3):
            text = " ".join(sentence() for _ in range(4))
            parts.append(f'<p class="c{section}">{text} <a href="/{number + 1}">more</a></p>')
        parts.append(f"<pre><code>def kettle_{section}(x):\n    return x + {number}</code></pre>")
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>Kettle number {number}</title><meta name="author" content="Ada Lovelace">
<meta property="article:published_time" content="2024-03-0{number % 9 + 1}T10:00:00Z">
<style>{_STYLE}</style></head>
<body><nav><ul>{_ASIDE}</ul></nav><main><article><h1>Kettle number {number}</h1>
{"".join(parts)}</article></main><aside><ul>{_ASIDE}</ul></aside>
<footer>Subscribe to our newsletter. All rights reserved.</footer></body></html>""".encode()


def serve_pages(told: Connection) -> None:
    """Send the port to `told`, then serve pages there, for any host, until the process ends."""
    asyncio.run(_serve(told))


async def _serve(told: Connection) -> None:
    first = await asyncio.start_server(_answer, HOSTS[0], 0, backlog=512)
    port = first.sockets[0].getsockname()[1]
    others = [await asyncio.start_server(_answer, h, port, backlog=512) for h in HOSTS[1:]]
    told.send(port)
    await asyncio.gather(*(s.serve_forever() for s in [first, *others]))


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            name = head.split(b" ", 2)[1].strip(b"/")
            status, body = (200, make_page(int(name))) if name.isdigit() else (404, b"none")
            kind = "text/html; charset=utf-8" if status == 200 else "text/plain"
            writer.write(
                f"HTTP/1.1 {status} OK\r\nContent-Type: {kind}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode()
            )
            writer.write(body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def watch_loop(loop: asyncio.AbstractEventLoop) -> list[tuple[float, float]]:
    """Start measuring how late a timer of the loop is.

    Returns:
        A list that gets (moment, seconds) for every delay of more than 10 ms.
    """
    late: list[tuple[float, float]] = []

    async def watch() -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            now = time.monotonic()
            if now - before > 0.02:
                late.append((now, now - before - 0.01))

    _watching.append(loop.create_task(watch()))
    return late


#: Keeps tasks alive, because a loop holds only weak references to them.
_watching: list[asyncio.Task[None]] = []
