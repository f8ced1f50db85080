"""Many small sites, and one crawl of all of them, which `test_spiders` checks."""

import gzip
import json
from datetime import datetime
from pathlib import Path
from time import monotonic

from crawl.runs import Run, known, make_spec, run, source
from crawl.site import TEXT, Answer, Site, article, feed, sitemap
from moodswarm.crawl.events import LinkFound, Visited
from moodswarm.crawl.spec import KnownLink, Limits, Source
from moodswarm.records.document import Document

WHOLE = f"<p>From the feed. {TEXT * 3}</p>"
ROOT = "<!doctype html><html><head>{head}</head><body><h1>Notes</h1>{body}</body></html>"
FEED_LINK = '<link rel="alternate" type="application/rss+xml" href="/feed.xml">'


class World:
    """The sites, the sources that lead to them, and the events of the crawl."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.sources: list[Source] = []
        self.links: list[KnownLink] = []
        self.run = Run()
        self.early = 0

    def add(self, link: str, **more: object) -> Source:
        added = source(link, **more)  # type: ignore[arg-type]
        self.sources.append(added)
        self.links.append(known(added))
        return added

    def events(self, host: str) -> list[LinkFound | Visited]:
        mine = {s.id for s in self.sources if f"//{host}" in s.link}
        return [
            e for e in self.run.events if isinstance(e, LinkFound | Visited) and e.source_id in mine
        ]

    def visit(self, url: str) -> Visited:
        return self.run.visit(url.replace(".test/", f".test:{self.site.port}/"))

    def asked(self, url: str) -> int:
        return self.site.asked[url.replace(".test/", f".test:{self.site.port}/")]

    def document(self, url: str) -> Document:
        visit = self.visit(url)
        assert visit.document is not None
        values = json.loads(visit.model_dump_json())["document"]
        return _document(values)


def _document(values: dict[str, object]) -> Document:
    for name in ("published_at", "fetched_at"):
        value = values.get(name)
        values[name] = datetime.fromisoformat(str(value)) if value else None
    return Document.create(**values)


def pages(world: World, address: str, *paths: str) -> None:
    for path in paths:
        world.site[f"{address}{path}"] = article(f"Title {path}")


def listed_site(world: World) -> None:
    address = world.site.at("listed.test")
    pages(world, address, "/one", "/two", "/three")
    world.site[f"{address}/"] = ROOT.format(head=FEED_LINK, body='<a href="/about">About</a>')
    world.site[f"{address}/robots.txt"] = (
        f"User-agent: *\nDisallow: /private\nDisallow: /closed\nSitemap: {address}/index.xml"
    )
    world.site[f"{address}/index.xml"] = sitemap(address, "/posts.xml.gz", index=True)
    zipped = gzip.compress(sitemap(address, "/one?utm_source=map", "/three", "/closed").body)
    world.site[f"{address}/posts.xml.gz"] = Answer(zipped, kind="application/gzip")
    world.site[f"{address}/feed.xml"] = feed(
        address, "/one", "/two", "/private", "https://elsewhere.test/x", content=WHOLE
    )
    world.site[f"{address}/three"] = Answer(
        article("Three", head=f'<link rel="canonical" href="{address}/3">').encode(),
        headers={"ETag": '"v3"', "Last-Modified": "Tue, 02 Jan 2024 03:04:05 GMT"},
    )
    world.add(f"{address}/")


def searched_site(world: World) -> None:
    address = world.site.at("searched.test")
    world.site[f"{address}/"] = ROOT.format(
        head="", body='<a href="/a">A</a> <a href="https://elsewhere.test/">E</a>'
    )
    world.site[f"{address}/a"] = article("A", body='<a href="/b">B</a>')
    world.site[f"{address}/b"] = article("B", body='<a href="/c">C</a>')
    world.site[f"{address}/c"] = article("C", body='<a href="/too-deep">D</a>')
    world.add(f"{address}/")


def feed_only(world: World) -> None:
    address = world.site.at("feed.test")
    pages(world, address, "/1", "/2")
    atom = (
        '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>F</title>'
        f'<link rel="next" href="{address}/older.xml"/>'
        '<entry><title>1</title><link href="/1"/></entry></feed>'
    )
    world.site[f"{address}/atom.xml"] = Answer(atom.encode(), kind="application/atom+xml")
    world.site[f"{address}/older.xml"] = feed(address, "/2", "javascript:alert(1)", "mailto:a@b.c")
    world.add(f"{address}/atom.xml")


def archive(world: World) -> None:
    address = world.site.at("single.test")
    pages(world, address, "/notes")
    world.add(f"{address}/notes", discover=False)


def odd_pages(world: World) -> None:
    address = world.site.at("odd.test")
    answers = {
        "/gone": Answer(status=410),
        "/home": Answer(status=302, headers={"Location": "/"}),
        "/lost": Answer(status=302, headers={"Location": "/"}),
        "/nothing": Answer(
            b"<html><head><title>Page not found - Odd</title><meta name=robots content=noindex>"
            b"</head><body><h1>Oh no</h1><p>We looked for this page everywhere, and we are afraid"
            b" that there is nothing here any more.</p></body></html>"
        ),
        "/broken": Answer(b"oh", 500),
        "/forbidden": Answer(b"no", 403),
        "/teapot": Answer(b"short and stout", 418),
        "/picture": Answer(b"\x89PNG\r\n\x1a\n" + bytes(2000), kind="text/html"),
        "/empty": Answer(b""),
        "/large": Answer(b"a" * 300_000),
        "/bomb": Answer(gzip.compress(bytes(5_000_000)), headers={"Content-Encoding": "gzip"}),
        "/script": Answer(
            b"<!doctype html><html><head><script src=/app.js></script></head>"
            b'<body><div id="root"></div><noscript>Enable JavaScript to run this app.</noscript>'
            b"</body></html>"
        ),
        "/mended": lambda number: Answer(article("Mended").encode(), 503 if number == 1 else 200),
    }
    for path, answer in answers.items():
        world.site[f"{address}{path}"] = answer  # type: ignore[assignment]
    pages(world, address, "/")
    world.site[f"{address}/feed.xml"] = feed(address, *answers)
    world.add(f"{address}/feed.xml")
    world.add("http://nowhere.invalid/", discover=False)
    world.add("http://127.0.0.1:1/", discover=False)


def redirects(world: World) -> None:
    address, other = world.site.at("moved.test"), world.site.at("newhome.test")
    to = lambda where: Answer(status=301, headers={"Location": where})  # noqa: E731
    pages(world, address, "/new")
    pages(world, other, "/story", "/stranger")
    world.site[f"{address}/feed.xml"] = feed(address, "/old", "/loop", "/away", "/inside", "/file")
    world.site[f"{address}/old"] = to("/new")
    world.site[f"{address}/loop"] = to("/loop")
    world.site[f"{address}/away"] = to(f"{other}/stranger")
    world.site[f"{address}/inside"] = to("http://169.254.169.254/latest/meta-data")
    world.site[f"{address}/file"] = to("file:///etc/passwd")
    world.add(f"{address}/feed.xml")
    world.site[f"{world.site.at('former.test')}/feed.xml"] = to(f"{other}/feed.xml")
    world.site[f"{other}/feed.xml"] = feed(other, "/story")
    world.add(f"{world.site.at('former.test')}/feed.xml")


def known_links(world: World) -> None:
    address = world.site.at("known.test")
    kept = {"ETag": '"kept"'}
    world.site[f"{address}/same"] = Answer(article("Same").encode(), headers=kept)
    world.site[f"{address}/edited"] = Answer(article("Edited").encode(), headers={"ETag": '"2"'})
    world.site[f"{address}/feed.xml"] = feed(address, "/same", "/edited", "/done", "/fresh")
    pages(world, address, "/done", "/fresh")
    added = world.add(f"{address}/feed.xml")
    world.links += [
        known(added, f"{address}/same", etag='"kept"'),
        known(added, f"{address}/edited", etag='"1"'),
        known(added, f"{address.replace('http', 'https')}/done/?utm_source=x", ask=False),
        known(added, f"{address}/deleted"),
    ]


def medium_author(world: World) -> None:
    address = world.site.at("medium.test")
    pages(world, address, "/one-0123456789ab", "/old-0123456789ac")
    world.site[f"{address}/feed"] = feed(address, "/one-0123456789ab")
    world.site[f"{address}/sitemap/sitemap.xml"] = sitemap(address, "/old-0123456789ac")
    world.add(f"{address}/", platform="medium")


def _archive_pages(world: World, address: str, count: int) -> None:
    posts = [{"slug": f"post-{n}", "canonical_url": f"{address}/p/post-{n}"} for n in range(count)]
    for offset in range(0, count + 25, 25):
        body = json.dumps(posts[offset : offset + 25]).encode()
        url = f"{address}/api/v1/archive?sort=new&offset={offset}&limit=25"
        world.site[url] = Answer(body, kind="application/json")
    pages(world, address, *[f"/p/post-{n}" for n in range(count)])


def substack_publication(world: World) -> None:
    address = world.site.at("letters.test")
    _archive_pages(world, address, 27)
    world.add(f"{address}/", platform="substack")


def custom_substack(world: World) -> None:
    address = world.site.at("custom.test")
    head = '<script src="https://substackcdn.com/bundle/main.js"></script>'
    world.site[f"{address}/"] = ROOT.format(head=head, body="<script>window._preloads = 1</script>")
    _archive_pages(world, address, 1)
    world.add(f"{address}/")


def github_user(world: World) -> None:
    address = world.site.at("hub.test")
    first = f"{address}/api/v3/users/ada/repos?per_page=100&type=owner"
    more = {"Link": f'<{first}&page=2>; rel="next", <{first}&page=2>; rel="last"'}
    one = [
        {"html_url": f"{address}/ada/forked", "fork": True, "archived": False},
        {"html_url": f"{address}/ada/shelved", "fork": False, "archived": True},
    ]
    two = [{"html_url": f"{address}/ada/missing", "fork": False, "archived": False}]
    world.site[first] = Answer(json.dumps(one).encode(), headers=more)
    world.site[f"{first}&page=2"] = Answer(json.dumps(two).encode())
    world.add(f"{address}/ada", platform="github")


def sick_robots(world: World) -> None:
    address = world.site.at("sick.test")
    world.site[f"{address}/robots.txt"] = Answer(b"", 503)
    pages(world, address, "/a")
    world.add(f"{address}/a", discover=False)


def hostile_listings(world: World) -> None:
    address = world.site.at("hostile.test")
    laughs = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha" * 10}">' for n in range(12)
    )
    listings = {
        "/laughs.xml": Answer(
            f'<?xml version="1.0"?><!DOCTYPE rss [{laughs}]><rss version="2.0"><channel>'
            "<title>&l11;</title></channel></rss>".encode()
        ),
        "/passwd.rss": Answer(b"/etc/passwd"),
        "/bomb.xml.gz": Answer(gzip.compress(b"<urlset>" + bytes(9_000_000))),
        "/cut.xml.gz": Answer(gzip.compress(b"<urlset>" * 100)[:30]),
        "/torn.xml": Answer(b"<urlset><url><loc>"),
        "/page.xml": Answer(b"<!doctype html><html><title>no feed</title></html>"),
    }
    index = [f"{address}{path}" for path in listings]
    world.site[f"{address}/sitemap.xml"] = sitemap(address, *index, index=True)
    for path, answer in listings.items():
        world.site[f"{address}{path}"] = answer
    world.add(f"{address}/sitemap.xml")


def limited(world: World) -> None:
    address = world.site.at("endless.test")
    world.site[f"{address}/feed.xml"] = feed(address, *[f"/{n}" for n in range(60)])
    world.add(f"{address}/feed.xml")


def impatient(world: World) -> None:
    address = world.site.at("later.test")
    world.site[f"{address}/feed.xml"] = feed(address, *[f"/{n}" for n in range(30)])
    for n in range(30):
        world.site[f"{address}/{n}"] = Answer(b"", 429, headers={"Retry-After": "4000"})
    world.add(f"{address}/feed.xml")


def patient(world: World) -> None:
    """Add a server that asks for a pause of one second, and count requests that come too early."""
    address = world.site.at("patient.test")
    world.site[f"{address}/feed.xml"] = feed(address, *[f"/{n}" for n in range(20)])
    page = Answer(article("Patient").encode())
    sent_away: list[float] = []

    def answer(_: int) -> Answer:
        if not sent_away:
            sent_away.append(monotonic())
            return Answer(b"", 503, headers={"Retry-After": "1"})
        if monotonic() < sent_away[0] + 1:
            world.early += 1
        return page

    for n in range(20):
        world.site[f"{address}/{n}"] = answer
    world.add(f"{address}/feed.xml")


BUILDERS = (
    listed_site, searched_site, feed_only, archive, odd_pages, redirects, known_links,
            medium_author, substack_publication, custom_substack, github_user, sick_robots,
            hostile_listings, limited, impatient, patient,
)  # fmt: skip


def crawl_the_world(site: Site, folder: Path) -> World:
    """Build all sites and crawl them, with small limits."""
    world = World(site)
    for build in BUILDERS:
        build(world)
    spec = make_spec(folder, site, world.sources, world.links)
    limits = Limits(page_seconds=2, page_bytes=200_000, pages_per_source=40, depth=3)
    world.run = run(spec.model_copy(update={"limits": limits}), folder)
    return world
