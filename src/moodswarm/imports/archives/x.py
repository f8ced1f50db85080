"""X's archive ("Download an archive of your data"): `data/tweets.js` and its parts.

The author's own tweets become posts, and a thread becomes one post. Replies to others and retweets
are skipped. Posts in communities are treated like other tweets, since everyone can read them; posts
for a circle are skipped. Deleted tweets (`data/deleted-tweets.js`) are not read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from moodswarm.imports.archives.files import Archive, ArchiveError
from moodswarm.imports.archives.json_array import read_objects
from moodswarm.imports.archives.layout import find, missing
from moodswarm.imports.archives.tweets import (
    InvalidTweet,
    Notes,
    Tweet,
    newest_versions,
    parse_tweet,
)
from moodswarm.imports.archives.x_articles import (
    ARTICLES,
    METADATA,
    parse_metadata,
    read_article,
)
from moodswarm.imports.items import Item, Skipped, Unusable, build

TWEETS = r"data/tweets?(-part\d+)?\.js"
COMMUNITY_TWEETS = r"data/community-tweet(-part\d+)?\.js"
CIRCLE_TWEETS = r"data/twitter-circle-tweet(-part\d+)?\.js"
NOTES = r"data/note-tweet(-part\d+)?\.js"
ACCOUNT = r"data/account\.js"


def read(archive: Archive, author_full_name: str | None) -> Iterator[Item]:
    """Yield posts in the order of their time, then articles.

    All of the author's tweets are held in memory, about 1 KiB each, since the replies in
    a thread come before its first tweet in the archive.

    Raises:
        ArchiveError: there are no tweets, or no account, or no author's name.
    """
    names = find(archive, TWEETS)
    if not names:
        raise ArchiveError(missing(archive, "x", "data/tweets.js"))
    account = _account(archive)
    username = str(account.get("username") or "")
    if not re.fullmatch(r"\w{1,50}", username):
        raise ArchiveError("has no username in data/account.js; links to posts need it")
    author = author_full_name or str(account.get("accountDisplayName") or "").strip()
    if not author:
        raise ArchiveError('has no name in data/account.js; pass it with --author "Full Name"')
    notes, tweets = Notes(), dict[str, Tweet]()
    yield from _read_notes(archive, notes)
    for name in (*names, *find(archive, COMMUNITY_TWEETS)):
        yield from _read_tweets(archive, name, tweets)
    for name in find(archive, CIRCLE_TWEETS):
        yield from _not_public(archive, name)
    full_texts, alone = notes.full_texts(tweets)
    yield from (Skipped(f"note {id_}", "without_tweet") for id_ in alone)
    for id_, full_text in full_texts.items():
        tweets[id_] = replace(tweets[id_], text=full_text)
    newest, replaced = newest_versions(tweets.values())
    yield from (Skipped(f"tweet {tweet.id}", "edited") for tweet in replaced)
    yield from _posts(newest, author, username, str(account.get("accountId") or ""))
    yield from _articles(archive, author)


def _account(archive: Archive) -> dict[str, Any]:
    for name in find(archive, ACCOUNT):
        with archive.open_text(name) as stream:
            for entry in read_objects(stream):
                account = entry.get("account", entry)
                if isinstance(account, dict):
                    return account
    raise ArchiveError("has no data/account.js, which says whose posts these are")


def _read_notes(archive: Archive, notes: Notes) -> Iterator[Unusable]:
    for name in find(archive, NOTES):
        for number, entry in _entries(archive, name):
            try:
                if isinstance(entry, Unusable):
                    yield entry
                else:
                    notes.add(entry)
            except InvalidTweet as error:
                yield Unusable(f"{name}: entry {number}", str(error))


def _read_tweets(archive: Archive, name: str, tweets: dict[str, Tweet]) -> Iterator[Item]:
    for number, entry in _entries(archive, name):
        try:
            if isinstance(entry, Unusable):
                yield entry
                continue
            tweet = parse_tweet(entry)
        except InvalidTweet as error:
            yield Unusable(f"{name}: entry {number}", str(error))
            continue
        if reason := _unwanted(tweet, tweets):
            yield Skipped(f"tweet {tweet.id}", reason)
        else:
            tweets[tweet.id] = tweet


def _unwanted(tweet: Tweet, before: Mapping[str, Tweet]) -> str | None:
    if tweet.is_retweet:
        return "not_own_words"
    if tweet.is_automatic:
        return "automatic"
    return "duplicate" if tweet.id in before else None


def _not_public(archive: Archive, name: str) -> Iterator[Item]:
    for number, entry in _entries(archive, name):
        yield entry if isinstance(entry, Unusable) else Skipped(f"{name}: {number}", "not_public")


def _articles(archive: Archive, author: str) -> Iterator[Item]:
    metadata = []
    for name in find(archive, METADATA):
        for _, entry in _entries(archive, name):
            if isinstance(entry, Unusable):
                yield entry
            else:
                metadata.append(parse_metadata(entry))
    for name in find(archive, ARTICLES):
        for number, entry in _entries(archive, name):
            if isinstance(entry, Unusable):
                yield entry
            else:
                yield read_article(f"{name}: entry {number}", entry, metadata, author)


def _entries(archive: Archive, name: str) -> Iterator[tuple[int, dict[str, Any] | Unusable]]:
    number = 0
    try:
        with archive.open_text(name) as stream:
            for number, entry in enumerate(read_objects(stream), start=1):
                yield number, entry
    except ArchiveError as error:
        yield number + 1, Unusable(name, str(error))


def _posts(found: Iterable[Tweet], author: str, username: str, account_id: str) -> Iterator[Item]:
    tweets = {tweet.id: tweet for tweet in found}
    threads: dict[str, list[Tweet]] = {}
    known: dict[str, Tweet] = {}
    for tweet in sorted(tweets.values(), key=lambda tweet: (tweet.created_at, int(tweet.id))):
        first = _first(tweet, tweets, known)
        if _answers_others(first, account_id):
            yield Skipped(f"tweet {tweet.id}", "reply")
        else:
            threads.setdefault(first.id, []).append(tweet)
    for id_, thread in threads.items():
        texts = [_without_own_mention(tweet.text, username) for tweet in thread]
        yield _post(tweets[id_], "\n\n".join(filter(None, texts)), author, username)


def _first(tweet: Tweet, tweets: dict[str, Tweet], known: dict[str, Tweet]) -> Tweet:
    """Return the tweet that a thread began with.

    The result is remembered for every tweet on the way, so that a long thread is followed only
    once. This also ends a circle of replies, which only a forged archive contains.
    """
    met = []
    while tweet.id not in known:
        met.append(tweet.id)
        known[tweet.id] = tweet
        if tweet.reply_to not in tweets:
            break
        tweet = tweets[tweet.reply_to]
    first = known[tweet.id]
    known.update(dict.fromkeys(met, first))
    return first


def _answers_others(tweet: Tweet, account_id: str) -> bool:
    if tweet.reply_to_user:
        return tweet.reply_to_user != account_id
    return tweet.reply_to is not None


def _without_own_mention(text: str, username: str) -> str:
    """Drop the author's own name, which X puts before a reply to oneself."""
    return re.sub(rf"^(@{username}\s+)+", "", text, flags=re.I)


def _post(first: Tweet, text: str, author: str, username: str) -> Item:
    where = f"tweet {first.id}"
    if not text:
        return Skipped(where, "empty")
    return build(
        where,
        kind="post",
        platform="x",
        link=f"https://x.com/{username}/status/{first.id}",
        author_full_name=author,
        language=first.language,
        published_at=first.created_at,
        content=text,
    )
