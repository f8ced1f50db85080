"""A tweet of X's archive: the fields that an import needs, and its text as readers saw it."""

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# X names a language of its own for tweets without words: `und`, `zxx`, `qme`, `qht` and so on.
_LANGUAGE = re.compile(r"(?!und|zxx|q\w\w|art)[a-z]{2,3}")
_NOTE_BEGINNING = 40


class InvalidTweet(ValueError):
    """An entry is not a tweet; the message names the field that is wrong."""


@dataclass(frozen=True, slots=True)
class Tweet:
    """A tweet from an archive.

    Attributes:
        text: With links in full, without those to its own pictures, and with HTML entities decoded.
        reply_to: Id of the tweet that it replies to.
        reply_to_user: Id of the user it replies to; it may be known when the tweet is not.
    """

    id: str
    created_at: datetime
    text: str
    language: str | None
    reply_to: str | None
    reply_to_user: str | None

    @property
    def is_retweet(self) -> bool:
        """Tell whether the words are someone else's."""
        return self.text.startswith("RT @")


def parse_tweet(entry: Mapping[str, Any]) -> Tweet:
    """Read an entry of `tweets.js`, or of the older `tweet.js`, which has no `tweet` around it.

    Raises:
        InvalidTweet: a field is missing or has another form.
    """
    raw = entry.get("tweet", entry)
    if not isinstance(raw, dict):
        raise InvalidTweet(f"tweet: expected an object, found {raw!r:.40}")
    id_ = _field(raw, "id_str", "id")
    if not id_.isascii() or not id_.isdigit():
        raise InvalidTweet(f"id_str: expected digits, found {id_!r:.40}")
    language = str(raw.get("lang") or "")
    return Tweet(
        id=id_,
        created_at=_created(_field(raw, "created_at")),
        text=_text(_field(raw, "full_text", "text"), raw),
        language=language if _LANGUAGE.fullmatch(language) else None,
        reply_to=_id(raw, "in_reply_to_status_id_str"),
        reply_to_user=_id(raw, "in_reply_to_user_id_str"),
    )


def _field(raw: Mapping[str, Any], *names: str) -> str:
    for name in names:
        if isinstance(raw.get(name), str):
            return str(raw[name])
    raise InvalidTweet(f"{names[0]}: expected text, found {raw.get(names[0])!r:.40}")


def _id(raw: Mapping[str, Any], name: str) -> str | None:
    return str(raw[name]) if raw.get(name) else None


def _created(written: str) -> datetime:
    try:
        return datetime.strptime(written, "%a %b %d %H:%M:%S %z %Y")
    except ValueError as error:
        raise InvalidTweet(
            f"created_at: expected Wed Oct 10 20:19:24 +0000 2018, found {written!r:.40}"
        ) from error


def _text(written: str, raw: Mapping[str, Any]) -> str:
    for part in ("extended_entities", "entities"):
        for medium in _objects(raw.get(part), "media"):
            written = written.replace(str(medium.get("url") or "\0"), "")
    return html.unescape(_expand(written, _objects(raw.get("entities"), "urls"))).strip()


def _expand(written: str, urls: Iterable[Mapping[str, Any]]) -> str:
    for url in urls:
        short = url.get("url") or url.get("shortUrl")
        full = url.get("expanded_url") or url.get("expandedUrl")
        if isinstance(short, str) and isinstance(full, str):
            # The text is unescaped afterwards, which must not change the address.
            written = written.replace(short, html.escape(full, quote=False))
    return written


def _objects(parent: object, name: str) -> Iterator[Mapping[str, Any]]:
    children = parent.get(name) if isinstance(parent, dict) else None
    if isinstance(children, list):
        yield from (child for child in children if isinstance(child, dict))


class Notes:
    """The full texts of long tweets, of which `tweets.js` has only the beginning.

    A note has an id of its own that no tweet refers to, so the two are matched by the second of
    their creation and the beginning of their text.
    """

    def __init__(self) -> None:
        self._by_second: dict[int, list[str]] = {}

    def add(self, entry: Mapping[str, Any]) -> None:
        """Take an entry of `note-tweet.js`.

        Raises:
            InvalidTweet: a field is missing or has another form.
        """
        note = entry.get("noteTweet", entry)
        core = note.get("core") if isinstance(note, dict) else None
        if not isinstance(core, dict):
            raise InvalidTweet(f"noteTweet.core: expected an object, found {core!r:.40}")
        created = _field(note, "createdAt")
        try:
            second = int(datetime.fromisoformat(created).timestamp())
        except ValueError as error:
            raise InvalidTweet(f"createdAt: expected ISO 8601, found {created!r:.40}") from error
        text = html.unescape(_expand(_field(core, "text"), _objects(core, "urls"))).strip()
        self._by_second.setdefault(second, []).append(text)

    def full_text(self, tweet: Tweet) -> str:
        """Return the text of the tweet's note, or of the tweet if it has none."""
        second = int(tweet.created_at.timestamp())
        beginning = _flat(tweet.text)[:_NOTE_BEGINNING]
        for near in (second, second - 1, second + 1):
            for text in self._by_second.get(near, ()):
                if len(text) > len(tweet.text) and _flat(text).startswith(beginning):
                    return text
        return tweet.text


def _flat(text: str) -> str:
    return "".join(text.split())
