"""A hostile web on 127.0.0.1: each attack is a site of its own, `http://<name>.test:<port>/`.

    with HostileWeb() as web:
        spec = CrawlSpec(..., egress=web.egress())   # names resolve to 127.0.0.1
        web.url("slow-body")                         # the page of that attack
        web.hits["slow-body.test/"], web.canary      # what was requested

Names are resolved by `Egress.hosts`, so that each attack has its own robots.txt, delays and limits.
The canary is a second server that no rule allows: any request that reaches it has bypassed the
guard. Big answers are generated while they are sent, so nothing here holds more than about a
megabyte.
"""

import asyncio
import random
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from crawl.hostile_web import SITES, Exchange, HostileWeb, Serve, article, site

__all__ = ["ARTICLES", "SITES", "HostileWeb", "article"]

MIB = 1024 * 1024
ARTICLES = 12


def _repeat(piece: bytes) -> Iterator[bytes]:
    while True:
        yield piece


def _bomb(mebibytes: int) -> Iterator[bytes]:
    """Yield a gzip stream that unpacks to this many MiB of spaces, 1,000 times its own size."""
    packer = zlib.compressobj(9, wbits=31)
    block = b" " * MIB
    yield packer.compress(b"<html><body><p>" + block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(mebibytes - 1):
        yield again
    yield packer.flush()


async def _numbered(exchange: Exchange, prefix: str, page: Callable[[int], str]) -> None:
    number = re.fullmatch(rf"{prefix}([0-9]+)", exchange.path)
    if number:
        await exchange.answer(page(int(number[1])))
    else:
        await exchange.answer("no such page", 404)


@site("articles")
async def _articles(exchange: Exchange) -> None:
    if exchange.path == "/":
        links = "".join(f'<li><a href="/article/{n}">Article {n}</a>' for n in range(ARTICLES))
        await exchange.answer(f"<html><body><ul>{links}</ul></body></html>")
    else:
        await _numbered(exchange, "/article/", article)


# Response bodies and headers that never end, or end in the wrong place.


@site("endless-body")
async def _endless_body(exchange: Exchange) -> None:
    await exchange.begin()
    await exchange.send(_repeat(b"<p>more and more</p>" * 1000))


@site("slow-body")
async def _slow_body(exchange: Exchange) -> None:
    await exchange.begin()
    await exchange.send(_repeat(b"x"), pause=0.2)


@site("slow-headers")
async def _slow_headers(exchange: Exchange) -> None:
    await exchange.send([b"HTTP/1.1 200 OK\r\n"])
    await exchange.send(_repeat(b"X-Slow: yes\r\n"), pause=0.2)


@site("header-bomb")
async def _header_bomb(exchange: Exchange) -> None:
    await exchange.send([b"HTTP/1.1 200 OK\r\n"])
    await exchange.send(b"X-%d: %s\r\n" % (n, b"y" * 1000) for n in range(10**9))


@site("hangs")
async def _hangs(exchange: Exchange) -> None:
    await asyncio.sleep(3600)


@site("gzip-bomb")
async def _gzip_bomb(exchange: Exchange) -> None:
    """Send a body of under 1 MiB, of which only the unpacked size shows that it is a bomb."""
    await exchange.begin(Content_Encoding="gzip")
    await exchange.send(_bomb(800))


@site("big-gzip-bomb")
async def _big_gzip_bomb(exchange: Exchange) -> None:
    await exchange.begin(Content_Encoding="gzip")
    await exchange.send(_bomb(2048))


@site("length-too-long")
async def _length_too_long(exchange: Exchange) -> None:
    await exchange.begin(Content_Length="100000")
    await exchange.send([article(0).encode()])


@site("length-absurd")
async def _length_absurd(exchange: Exchange) -> None:
    await exchange.begin(Content_Length=str(10**15))
    await exchange.send([article(0).encode()])


@site("reset-midway")
async def _reset_midway(exchange: Exchange) -> None:
    await exchange.begin(Content_Length="100000")
    await exchange.send([b"<html><body><p>half"], pause=0.05)
    exchange.reset()


@site("chunked-garbage")
async def _chunked_garbage(exchange: Exchange) -> None:
    await exchange.begin(Transfer_Encoding="chunked")
    await exchange.send([b"5\r\nhello\r\nZZZZ\r\nnot a chunk\r\n", b"\x00" * 1000])


# Redirects.


@site("redirect-loop")
async def _redirect_loop(exchange: Exchange) -> None:
    await exchange.redirect("/b" if exchange.path == "/" else "/")


@site("redirect-chain")
async def _redirect_chain(exchange: Exchange) -> None:
    await exchange.redirect(f"/{int(exchange.path[1:] or 0) + 1}")


def _redirect_site(name: str, address: Callable[["HostileWeb"], str]) -> None:
    async def serve(exchange: Exchange) -> None:
        await exchange.redirect(address(exchange.web))

    SITES[name] = serve


_redirect_site("redirect-loopback", lambda web: f"http://127.0.0.1:{web.canary_port}/secret")
_redirect_site("redirect-localhost", lambda web: f"http://localhost:{web.canary_port}/secret")
_redirect_site("redirect-decimal", lambda web: f"http://2130706433:{web.canary_port}/secret")
_redirect_site("redirect-mapped", lambda web: f"http://[::ffff:7f00:1]:{web.canary_port}/secret")
_redirect_site("redirect-name", lambda web: f"http://private.test:{web.canary_port}/secret")
_redirect_site("redirect-metadata", lambda web: "http://169.254.169.254/latest/meta-data/")
_redirect_site("redirect-file", lambda web: "file:///etc/passwd")
_redirect_site("redirect-data", lambda web: "data:text/html,<p>hello</p>")
_redirect_site("redirect-password", lambda web: f"http://me:secret@articles.test:{web.port}/")


# Content that is not what it claims to be, or is hard to read.


@site("wrong-charset")
async def _wrong_charset(exchange: Exchange) -> None:
    text = "Это статья о погоде, написанная для проверки кодировки. " * 30
    page = f"<html><head><meta charset=windows-1251></head><body><p>{text}</p></body></html>"
    await exchange.answer(page.encode("cp1251"))


@site("nonsense-charset")
async def _nonsense_charset(exchange: Exchange) -> None:
    await exchange.answer(article(0, exchange.name), content_type="text/html; charset=klingon-8")


@site("png-as-html")
async def _png_as_html(exchange: Exchange) -> None:
    await exchange.answer(b"\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(50_000))


@site("zip-as-html")
async def _zip_as_html(exchange: Exchange) -> None:
    await exchange.answer(b"PK\x03\x04" + random.Random(2).randbytes(50_000))


@site("noise-as-html")
async def _noise_as_html(exchange: Exchange) -> None:
    await exchange.answer(random.Random(3).randbytes(50_000))


@site("empty")
async def _empty(exchange: Exchange) -> None:
    await exchange.answer(b"")


@site("deep-nesting")
async def _deep_nesting(exchange: Exchange) -> None:
    await exchange.answer("<html><body>" + "<div>" * 20_000 + "deep" + "</div>" * 20_000)


@site("attributes")
async def _attributes(exchange: Exchange) -> None:
    many = " ".join(f"a{n}=1" for n in range(100_000))
    await exchange.answer(f"<html><body><p {many}>text</p></body></html>")


@site("million-links")
async def _million_links(exchange: Exchange) -> None:
    """Send a page of 30 MB, which is over every limit; `/some` has as many links as fit 900 kB."""
    await exchange.begin()
    count = 30_000 if exchange.path == "/some" else 1_000_000
    for start in range(0, count, 1000):
        links = (f'<a href="/p/{n}">link {n}</a> ' for n in range(start, start + 1000))
        await exchange.send(["".join(links).encode()])


@site("trap")
async def _trap(exchange: Exchange) -> None:
    """Serve pages of which each has ten links to new pages."""

    def page(number: int) -> str:
        links = "".join(f'<a href="/day/{number * 10 + n}">next {n}</a>' for n in range(10))
        return article(number, "trap").replace("</body>", f"{links}</body>")

    if exchange.path == "/":
        await exchange.answer(page(1))
    else:
        await _numbered(exchange, "/day/", page)


@site("busy-script")
async def _busy_script(exchange: Exchange) -> None:
    await exchange.answer("<html><body><div id=root></div><script>while (true) {}</script>")


# Answers that ask the client to wait.


def _patience_site(name: str, first: Callable[[], tuple[int, dict[str, str]]]) -> None:
    """Register a site that answers the first request with `first`, later ones with a good page."""

    async def serve(exchange: Exchange) -> None:
        status, headers = first()
        if exchange.hit == 1:
            await exchange.answer("later", status, **headers)
        else:
            await exchange.answer(article(0, exchange.name))

    SITES[name] = serve


def _in_a_second() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)


_patience_site("retry-seconds", lambda: (429, {"Retry_After": "1"}))
_patience_site("retry-date", lambda: (429, {"Retry_After": _in_a_second()}))
_patience_site("retry-absurd", lambda: (429, {"Retry_After": str(10**9)}))
_patience_site("retry-garbage", lambda: (429, {"Retry_After": "next \x0bTuesday; -1"}))
_patience_site("unavailable-once", lambda: (503, {}))


@site("always-500")
async def _always_500(exchange: Exchange) -> None:
    await exchange.answer("broken", 500)


@site("not-found")
async def _not_found(exchange: Exchange) -> None:
    await exchange.answer("no such page", 404)


# Sites that differ in their robots.txt; their pages are good.


def _robots_site(name: str, robots: Serve) -> None:
    async def serve(exchange: Exchange) -> None:
        if exchange.path == "/robots.txt":
            await robots(exchange)
        else:
            await exchange.answer(article(0, exchange.name))

    SITES[name] = serve


async def _robots_huge(exchange: Exchange) -> None:
    await exchange.begin(content_type="text/plain")
    await exchange.send(b"Disallow: /x\n" * 80_000 for _ in range(100))


async def _robots_disallow(exchange: Exchange) -> None:
    await exchange.answer("User-agent: *\nDisallow: /\n", content_type="text/plain")


async def _robots_to_canary(exchange: Exchange) -> None:
    await exchange.redirect(f"http://127.0.0.1:{exchange.web.canary_port}/robots.txt")


_robots_site("robots-500", _always_500)
_robots_site("robots-hangs", _hangs)
_robots_site("robots-huge", _robots_huge)
_robots_site("robots-disallow", _robots_disallow)
_robots_site("robots-to-canary", _robots_to_canary)


# Feeds and sitemaps.

_LAUGHS = "".join(f'<!ENTITY lol{n} "{f"&lol{n - 1};" * 10 if n else "lol"}">' for n in range(10))


@site("feed-laughs")
async def _feed_laughs(exchange: Exchange) -> None:
    feed = (
        f'<?xml version="1.0"?><!DOCTYPE rss [{_LAUGHS}]><rss version="2.0"><channel>'
        "<title>&lol9;</title><item><title>&lol9;</title><link>&lol9;</link></item></channel></rss>"
    )
    await exchange.answer(feed, content_type="application/rss+xml")


@site("feed-entity")
async def _feed_entity(exchange: Exchange) -> None:
    canary = f"http://127.0.0.1:{exchange.web.canary_port}/entity"
    feed = (
        '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY f SYSTEM "file:///etc/passwd">'
        f'<!ENTITY h SYSTEM "{canary}"><!ENTITY % p SYSTEM "{canary}"> %p;]>'
        '<rss version="2.0"><channel><title>&f;&h;</title><item><title>&f;</title>'
        f"<link>{exchange.web.url('articles', '/article/0')}</link></item></channel></rss>"
    )
    await exchange.answer(feed, content_type="application/rss+xml")


@site("sitemap-bomb")
async def _sitemap_bomb(exchange: Exchange) -> None:
    """Serve a sitemap that is itself a gzip file, not one that is only compressed for transfer."""
    if exchange.path == "/sitemap.xml.gz":
        await exchange.begin(content_type="application/gzip")
        await exchange.send(_bomb(800))
    else:
        await _robots_naming(exchange, "/sitemap.xml.gz")


@site("sitemap-loop")
async def _sitemap_loop(exchange: Exchange) -> None:
    if exchange.path.startswith("/sitemap"):
        number = int(exchange.path.partition("?")[2] or 0)
        entries = "".join(
            f"<sitemap><loc>{exchange.web.url(exchange.name, f'/sitemap.xml?{n}')}</loc></sitemap>"
            for n in (number, number + 1, number + 2)
        )
        index = f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}'
        await exchange.answer(f"{index}</sitemapindex>", content_type="application/xml")
    else:
        await _robots_naming(exchange, "/sitemap.xml")


async def _robots_naming(exchange: Exchange, sitemap: str) -> None:
    if exchange.path == "/robots.txt":
        address = exchange.web.url(exchange.name, sitemap)
        await exchange.answer(f"Sitemap: {address}\n", content_type="text/plain")
    else:
        await exchange.answer(article(0, exchange.name))
