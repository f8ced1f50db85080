"""Small export archives of invented people, in the same format as those from the platforms."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moodswarm.imports.archives.files import ArchiveLimits
from moodswarm.imports.archives.reading import read_archive
from moodswarm.imports.items import Found, Item, Skipped, Unusable

Files = Mapping[str, str | bytes]


def zipped(path: Path, files: Files, **options: Any) -> Path:
    """Write a zip file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def folder(path: Path, files: Files) -> Path:
    """Write the files into a folder."""
    for name, content in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


class Contents:
    """Everything that was read from an archive."""

    def __init__(
        self,
        platform: str,
        path: Path,
        author: str | None = None,
        limits: ArchiveLimits | None = None,
    ) -> None:
        items: list[Item] = list(read_archive(platform, path, author, limits))
        self.documents = [item.document for item in items if isinstance(item, Found)]
        self.skipped = [item for item in items if isinstance(item, Skipped)]
        self.unusable = [item for item in items if isinstance(item, Unusable)]

    @property
    def reasons(self) -> list[str]:
        """Return the reasons why entries were skipped."""
        return [item.reason for item in self.skipped]


# LinkedIn

COLUMNS = ("Date", "ShareLink", "ShareCommentary", "SharedUrl", "MediaUrl", "Visibility")
PROFILE = "First Name,Last Name,Headline\nMira,Solano,Boats and pipelines\n"


def share(number: int, commentary: str, **values: str) -> dict[str, str]:
    """Make a line for `Shares.csv`."""
    return {
        "Date": f"2024-05-{number:02} 17:30:05",
        "ShareLink": f"https://www.linkedin.com/feed/update/urn%3Ali%3Ashare%3A70{number}",
        "ShareCommentary": commentary,
        "Visibility": "MEMBER_NETWORK",
        **values,
    }


def shares(*rows: dict[str, str]) -> str:
    """Write `Shares.csv` as LinkedIn does, with extra quotes around each line of a commentary."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        inner = row["ShareCommentary"].replace('"', '""').replace("\n", '"\n"')
        writer.writerow({**row, "ShareCommentary": inner})
    return text.getvalue()


def shares_of_2018(*rows: tuple[str, str, str, str]) -> bytes:
    """Write (date, link, commentary, visibility) rows as LinkedIn did in 2018."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\r\n")
    writer.writerow(("Date", "Share Link", "Share Commentary", "Visibility"))
    writer.writerows(rows)
    return text.getvalue().encode("utf-16")


def linkedin_article(
    title: str, body: str, published: str = "Published on 2024-02-24 00:09"
) -> str:
    """Write a page as in `Articles/Articles`."""
    paragraph = f'<p class="published">{published}</p>' if published else ""
    return f"""<html><head><title>{title}</title><style>body {{width: 744px}}</style></head><body>
      <img src="https://media.licdn.example/cover" alt="" title="" />
      <h1><a href="https://www.linkedin.com/pulse/{title.lower().replace(" ", "-")}-mira-1f">
      {title}</a></h1>
      <p class="created">Created on 2024-02-24 00:06</p>{paragraph}<div>{body}</div>
      </body></html>"""


def linkedin(*rows: dict[str, str], **more: str | bytes) -> dict[str, str | bytes]:
    """Return the files of an archive."""
    return {"Profile.csv": PROFILE, "Shares.csv": shares(*rows), **more}


# Medium


def medium_post(title: str, body: str, number: int = 1, footer: bool = True) -> str:
    """Write a page as in `posts/`; a response has no `graf--title` in its body."""
    link = f"https://medium.com/@mira/{number:012x}"
    published = (
        f"""<footer><p>By <a href="https://medium.com/@mira" class="p-author h-card">Mira Solano</a>
        on <a href="https://medium.com/p/{number:012x}"><time class="dt-published"
        datetime="2023-12-07T00:49:21.830Z">December 7, 2023</time></a>.</p>
        <p><a href="{link}" class="p-canonical">Canonical link</a></p>
        <p>Exported from <a href="https://medium.com">Medium</a> on July 8, 2025.</p></footer>"""
        if footer
        else ""
    )
    return f"""<!DOCTYPE html><html><head><title>{title}</title><style>* {{margin: 0}}</style>
      </head>
      <body><article class="h-entry"><header><h1 class="p-name">{title}</h1></header>
      <section data-field="subtitle" class="p-summary">A beginning cut off…</section>
      <section data-field="body" class="e-content"><section name="a1" class="section section--body">
      <div class="section-divider"><hr class="section-divider"></div>
      <div class="section-content"><div class="section-inner">{body}</div></div></section></section>
      {published}</article></body></html>"""


MEDIUM_PROFILE = '<html><body><section class="h-card"><h3 class="p-name">Mira Solano</h3></section>'


# X


def ytd(name: str, entries: list[Any], part: int = 0) -> str:
    """Write a data file as X does."""
    return f"window.YTD.{name}.part{part} = {json.dumps(entries, indent=2)}"


ACCOUNT = ytd(
    "account",
    [{"account": {"username": "mira", "accountId": "77", "accountDisplayName": "Mira Solano"}}],
)


def tweet(number: int, text: str, **values: Any) -> dict[str, Any]:
    """Make an entry for `tweets.js`."""
    return {
        "tweet": {
            "id_str": str(number),
            "created_at": f"Wed May 01 12:{number % 60:02}:00 +0000 2024",
            "full_text": text,
            "lang": "en",
            "entities": {"urls": []},
            **values,
        }
    }


def note(tweet_id: int, text: str, before_ms: int = 25, **core: Any) -> dict[str, Any]:
    """Make an entry for `note-tweet.js`; X creates a note shortly before its tweet."""
    values = {"noteTweetId": str(tweet_id - (before_ms << 22)), "core": {"text": text, **core}}
    return {"noteTweet": values}


def answer(number: int, to: int, text: str, user: str = "77") -> dict[str, Any]:
    """Make a reply, by default to the author."""
    return tweet(number, text, in_reply_to_status_id_str=str(to), in_reply_to_user_id_str=user)


def version(number: int, first: int, text: str, **values: Any) -> dict[str, Any]:
    """Make an edit of a tweet."""
    return tweet(number, text, edit_info={"edit": {"initialTweetId": str(first)}}, **values)


def x(*tweets: dict[str, Any], **more: str) -> dict[str, str]:
    """Return the files of an archive."""
    return {"data/account.js": ACCOUNT, "data/tweets.js": ytd("tweets", list(tweets)), **more}
