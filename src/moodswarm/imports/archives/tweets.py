"""A tweet in X's archive: the fields that an import needs, and its text as readers saw it."""

import html
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

# X has its own language codes for tweets without words: `und`, `zxx`, `qme`, `qht` and so on.
_LANGUAGE = re.compile(r"(?!und|zxx|q\w\w|art)[a-z]{2,3}")
# Codes that ISO 639 withdrew in 1989, and that X still uses.
_RENAMED_LANGUAGES = {"in": "id", "iw": "he", "ji": "yi"}
# Services that turn feeds and activity into tweets. Services that only publish at a planned time
# what someone wrote for X, such as Buffer or Hootsuite, are not among them.
_AUTOMATIC = {
    "ifttt", "dlvr.it", "twitterfeed", "zapier.com", "zapier", "paper.li", "rss2twitter",
    "feedburner", "wordpress.com", "publicize", "jetpack.com", "fitbit", "runkeeper", "strava",
    "nikeplus", "foursquare", "swarm", "goodreads", "last.fm", "crowdfire", "fllwrs",
}  # fmt: skip
_ID = re.compile(r"[0-9]{1,20}")
_TAG = re.compile(r"<[^>]*>")
# An id consists of the milliseconds since X's epoch and, in its lowest 22 bits, another number.
_SEQUENCE_BITS = 22
_EPOCH_MS = 1_288_834_974_657
# X creates a note 12 to 40 ms before its tweet; no thread is written this fast.
_NOTE_BEFORE_TWEET_MS = 250


class InvalidTweet(ValueError):
    """Raised if an entry is not a tweet; the message names the field that is wrong."""


@dataclass(frozen=True, slots=True)
class Tweet:
    """A tweet from an archive.

    Attributes:
        text: Its text, with full links, none to its own pictures, and HTML entities decoded.
        reply_to: Id of the tweet that it replies to.
        reply_to_user: Id of the user it replies to; may be known even if `reply_to` is not.
        source: The name of the program that sent it.
        first_version: Id of the tweet that this one is an edit of; its own id if it is no edit.
        versions: Ids of all versions, if this is the first of several.
    """

    id: str
    created_at: datetime
    text: str
    language: str | None
    reply_to: str | None
    reply_to_user: str | None
    source: str
    first_version: str
    versions: tuple[str, ...]

    @property
    def is_retweet(self) -> bool:
        """Tell whether the words are someone else's."""
        return self.text.startswith("RT @")

    @property
    def is_automatic(self) -> bool:
        """Tell whether a service wrote it, such as one that posts the titles of a feed."""
        return self.source.casefold() in _AUTOMATIC


def parse_tweet(entry: Mapping[str, Any]) -> Tweet:
    """Read an entry of `tweets.js`, or of the older `tweet.js`, which has no `tweet` around it.

    Raises:
        InvalidTweet: a field is missing or malformed.
    """
    raw = entry.get("tweet", entry)
    if not isinstance(raw, dict):
        raise InvalidTweet(f"tweet: expected an object, found {raw!r:.40}")
    id_ = _field(raw, "id_str", "id")
    if not _digits(id_):
        raise InvalidTweet(f"id_str: expected digits, found {id_!r:.40}")
    edit = _object(raw.get("edit_info"))
    return Tweet(
        id=id_,
        created_at=_created(_field(raw, "created_at")),
        text=_text(_field(raw, "full_text", "text"), raw),
        language=_language(str(raw.get("lang") or "")),
        reply_to=_id(raw, "in_reply_to_status_id_str"),
        reply_to_user=_id(raw, "in_reply_to_user_id_str"),
        source=_TAG.sub("", str(raw.get("source") or "")).strip(),
        first_version=_digits(_object(edit.get("edit")).get("initialTweetId")) or id_,
        versions=_ids(_object(edit.get("initial")).get("editTweetIds")),
    )


def time_of_id(id_: str) -> int:
    """Return the milliseconds since 1970 at which X gave an id."""
    return (int(id_) >> _SEQUENCE_BITS) + _EPOCH_MS


def _language(code: str) -> str | None:
    code = _RENAMED_LANGUAGES.get(code, code)
    return code if _LANGUAGE.fullmatch(code) else None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _digits(value: object) -> str | None:
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def _ids(value: object) -> tuple[str, ...]:
    return tuple(filter(_digits, value)) if isinstance(value, list) else ()


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
    for short, full in _addresses(_objects(raw.get("entities"), "urls")):
        # The text is unescaped afterwards, which must not change the address.
        written = written.replace(short, html.escape(full, quote=False))
    return html.unescape(written).strip()


def _addresses(urls: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the short and the full form of links."""
    for url in urls:
        short = url.get("url") or url.get("shortUrl")
        full = url.get("expanded_url") or url.get("expandedUrl")
        if isinstance(short, str) and short and isinstance(full, str):
            yield short, full


def _objects(parent: object, name: str) -> Iterator[Mapping[str, Any]]:
    children = parent.get(name) if isinstance(parent, dict) else None
    if isinstance(children, list):
        yield from (child for child in children if isinstance(child, dict))


def newest_versions(tweets: Iterable[Tweet]) -> tuple[list[Tweet], list[Tweet]]:
    """Merge the versions of each tweet: the text is the last one's, all else the first one's.

    An edit is stored as a separate tweet, and a reply may name any version.

    Returns:
        The tweets, and the versions whose text was replaced.
    """
    first: dict[str, str] = {}
    groups: dict[str, list[Tweet]] = {}
    # Ids of later tweets are larger.
    for tweet in sorted(tweets, key=lambda tweet: int(tweet.id)):
        first |= dict.fromkeys(tweet.versions, tweet.id)
        first[tweet.id] = tweet.first_version
        groups.setdefault(tweet.first_version, []).append(tweet)
    newest = [_merged(id_, versions, first) for id_, versions in groups.items()]
    return newest, [tweet for versions in groups.values() for tweet in versions[:-1]]


def _merged(id_: str, versions: list[Tweet], first: Mapping[str, str]) -> Tweet:
    tweet = versions[0]
    reply_to = first.get(tweet.reply_to or "", tweet.reply_to)
    if len(versions) == 1 and (id_, reply_to) == (tweet.id, tweet.reply_to):
        return tweet
    text, language = versions[-1].text, versions[-1].language
    return replace(tweet, id=id_, text=text, language=language, reply_to=reply_to)


class Notes:
    """The full texts of long tweets, of which `tweets.js` has only the beginning.

    A note has its own id, which no tweet refers to. But the id of a note and the id of a tweet tell
    when each was made, and X makes the note some milliseconds before its tweet. Comparing the texts
    would not work: they differ in links, and the shorter of the two may be the full one.
    """

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}

    def add(self, entry: Mapping[str, Any]) -> None:
        """Read an entry of `note-tweet.js`; unlike tweets, its text is not escaped as HTML.

        Raises:
            InvalidTweet: a field is missing or malformed.
        """
        note = entry.get("noteTweet", entry)
        core = note.get("core") if isinstance(note, dict) else None
        if not isinstance(core, dict):
            raise InvalidTweet(f"noteTweet.core: expected an object, found {core!r:.40}")
        id_ = _field(note, "noteTweetId")
        if not _digits(id_):
            raise InvalidTweet(f"noteTweetId: expected digits, found {id_!r:.40}")
        written = _field(core, "text")
        for short, full in _addresses(_objects(core, "urls")):
            written = written.replace(short, full)
        self._texts[int(id_)] = written.strip()

    def full_texts(self, tweet_ids: Iterable[str]) -> tuple[dict[str, str], list[int]]:
        """Return the full texts by the id of their tweet, and the ids of notes without a tweet.

        Args:
            tweet_ids: Ids of all tweets, whether or not they are long.
        """
        ids = sorted(map(int, tweet_ids))
        found: dict[str, str] = {}
        alone = []
        # The newest note comes first, since of several notes it is nearest to the next tweet.
        for note_id in sorted(self._texts, reverse=True):
            place = bisect_right(ids, note_id)
            tweet_id = ids[place] if place < len(ids) else None
            if tweet_id is None or str(tweet_id) in found or _is_late(tweet_id, note_id):
                alone.append(note_id)
            else:
                found[str(tweet_id)] = self._texts[note_id]
        return found, alone


def _is_late(tweet_id: int, note_id: int) -> bool:
    return (tweet_id - note_id) >> _SEQUENCE_BITS > _NOTE_BEFORE_TWEET_MS
