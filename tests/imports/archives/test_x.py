"""X's archive becomes posts, one for each thread, in the author's own words only."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from imports.archives.builders import ACCOUNT, Contents, answer, tweet, x, ytd, zipped
from moodswarm.imports.archives import json_array
from moodswarm.imports.archives.files import ArchiveError


def read(tmp_path: Path, files: dict[str, str], author: str | None = None) -> Contents:
    return Contents("x", zipped(tmp_path / "export.zip", files), author)


def texts(contents: Contents) -> list[str]:
    return [post.content for post in contents.documents]


def test_a_tweet_becomes_a_post(tmp_path: Path) -> None:
    (post,) = read(tmp_path, x(tweet(5, "Tea &amp; tide &lt;3"))).documents
    assert (post.kind, post.platform, post.content) == ("post", "x", "Tea & tide <3")
    assert post.link == "https://x.com/mira/status/5"
    assert post.published_at == datetime(2024, 5, 1, 12, 5, tzinfo=UTC)
    assert (post.author_full_name, post.language) == ("Mira Solano", "en")


def test_short_links_are_expanded_and_those_of_pictures_dropped(tmp_path: Path) -> None:
    entities = {
        "urls": [{"url": "https://t.co/a", "expanded_url": "https://mira.example/tea?a=1&copy=2"}],
        "media": [{"url": "https://t.co/pic", "media_url_https": "https://pbs.example/1.jpg"}],
    }
    contents = read(
        tmp_path, x(tweet(1, "Read https://t.co/a https://t.co/pic", entities=entities))
    )
    assert texts(contents) == ["Read https://mira.example/tea?a=1&copy=2"]


def test_a_picture_without_words_is_skipped(tmp_path: Path) -> None:
    entities = {"media": [{"url": "https://t.co/pic"}]}
    contents = read(tmp_path, x(tweet(1, "https://t.co/pic", entities=entities, lang="zxx")))
    assert (contents.documents, contents.reasons) == ([], ["empty"])


def test_retweets_and_replies_to_others_are_skipped(tmp_path: Path) -> None:
    others = [tweet(1, "RT @ana: look"), answer(2, 900, "@ana no", user="8")]
    mention = tweet(3, "@ana hello", in_reply_to_user_id_str="8")
    contents = read(tmp_path, x(*others, mention, tweet(4, "Mine.")))
    assert texts(contents) == ["Mine."]
    assert sorted(contents.reasons) == ["not_own_words", "reply", "reply"]


def test_a_thread_is_one_post_in_order(tmp_path: Path) -> None:
    thread = [answer(3, 2, "@mira Third."), tweet(1, "First."), answer(2, 1, "Second.")]
    (post,) = read(tmp_path, x(*thread)).documents
    assert post.content == "First.\n\nSecond.\n\nThird."
    assert post.link.endswith("/1")


def test_replies_to_oneself_below_someone_else_are_not_a_thread(tmp_path: Path) -> None:
    contents = read(tmp_path, x(answer(1, 900, "@ana No.", user="8"), answer(2, 1, "And why.")))
    assert (contents.documents, contents.reasons) == ([], ["reply", "reply"])


def test_the_rest_of_a_thread_stays_when_its_beginning_was_deleted(tmp_path: Path) -> None:
    (post,) = read(tmp_path, x(answer(3, 1, "Third."), answer(4, 3, "Fourth."))).documents
    assert post.content == "Third.\n\nFourth."
    assert post.link.endswith("/3")


def test_a_circle_of_replies_ends(tmp_path: Path) -> None:
    contents = read(tmp_path, x(answer(1, 2, "Egg."), answer(2, 1, "Hen.")))
    assert sorted("".join(texts(contents)).split("\n\n")) == ["Egg.", "Hen."]


def test_a_thread_of_many_replies_is_walked_once(tmp_path: Path) -> None:
    chain = [answer(number, number + 1, f"{number}") for number in range(1, 20_000)]
    (post,) = read(tmp_path, x(*chain, tweet(20_000, "First."))).documents
    assert len(post.content.split("\n\n")) == 20_000


def test_a_long_tweet_has_its_full_text(tmp_path: Path) -> None:
    beginning = "The tide table of Port Merrin is wrong by nine minutes, and here is why. " * 3
    full = f"{beginning}Because the pier moved. See https://t.co/b"
    note = {
        "noteTweetId": "99",
        "createdAt": "2024-05-01T12:01:00.000Z",
        "core": {
            "text": full,
            "urls": [{"shortUrl": "https://t.co/b", "expandedUrl": "https://mira.example/pier"}],
        },
    }
    files = x(tweet(1, f"{beginning[:200]}… https://t.co/x"), tweet(2, "Short."))
    files["data/note-tweet.js"] = ytd("note_tweet", [{"noteTweet": note}])
    assert texts(read(tmp_path, files)) == [
        f"{beginning}Because the pier moved. See https://mira.example/pier",
        "Short.",
    ]


def test_all_parts_are_read_and_deleted_tweets_are_not(tmp_path: Path) -> None:
    parts = {
        "data/tweets-part1.js": ytd("tweets", [tweet(2, "Two.")], 1),
        "data/tweets-part2.js": ytd("tweets", [tweet(3, "Three.")], 2),
        "data/deleted-tweets.js": ytd("deleted_tweets", [tweet(4, "Gone.")]),
    }
    assert texts(read(tmp_path, x(tweet(1, "One."), **parts))) == ["One.", "Two.", "Three."]


def test_an_older_archive_is_read(tmp_path: Path) -> None:
    entry = tweet(1, "Old.")["tweet"]
    files = {"data/account.js": ACCOUNT, "data/tweet.js": ytd("tweet", [entry])}
    assert texts(read(tmp_path, files)) == ["Old."]


@pytest.mark.parametrize(
    ("account", "message"),
    [
        ({"username": "mira"}, r"no name in data/account.js; pass it with --author"),
        ({"accountDisplayName": "Mira"}, "no username in data/account.js"),
        ({"username": "../mira", "accountDisplayName": "Mira"}, "no username in data/account.js"),
    ],
)
def test_an_account_without_a_name_is_refused(
    tmp_path: Path, account: dict[str, str], message: str
) -> None:
    files = {**x(tweet(1, "One.")), "data/account.js": ytd("account", [{"account": account}])}
    with pytest.raises(ArchiveError, match=message):
        read(tmp_path, files)


def broken(tmp_path: Path, text: str) -> Contents:
    return read(tmp_path, {"data/account.js": ACCOUNT, "data/tweets.js": text})


def test_entries_before_a_broken_place_are_kept(tmp_path: Path) -> None:
    whole = ytd("tweets", [tweet(1, "One."), tweet(2, "Two.")])
    contents = broken(tmp_path, whole[:-40])
    assert texts(contents) == ["One."]
    assert contents.unusable[0].where == "data/tweets.js"
    assert "broken JSON after 1 entries; the rest is lost" in contents.unusable[0].reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("alert('hello')", 'expected `window.YTD... = [`, found "alert'),
        ("", "expected `window.YTD"),
        ("window.YTD.tweets.part0 = [1]", "expected an object, found 1"),
        ("window.YTD.tweets.part0 = [" + '{"a":' * 100_000, "broken JSON after 0 entries"),
        ('window.YTD.tweets.part0 = [{"a": ' + "9" * 5_000 + "}]", "broken JSON after 0 entries"),
        ("window.YTD.tweets.part0 = [", "the file ends early"),
    ],
)
def test_a_hostile_file_is_reported(tmp_path: Path, text: str, reason: str) -> None:
    contents = broken(tmp_path, text)
    assert contents.documents == []
    assert reason in contents.unusable[0].reason


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"tweet": 7}, "tweet: expected an object"),
        ({"tweet": {"id_str": "1"}}, "created_at: expected text"),
        (tweet(1, "One.", id_str="../../1"), "id_str: expected digits"),
        (tweet(1, "One.", created_at="yesterday"), "created_at: expected Wed Oct"),
        (tweet(1, "Half of an emoji \ud83d"), "broken Unicode"),
    ],
)
def test_a_wrong_entry_is_named_and_the_others_are_kept(
    tmp_path: Path, entry: dict[str, Any], reason: str
) -> None:
    contents = read(tmp_path, x(entry, tweet(2, "Good.")))
    assert texts(contents) == ["Good."]
    assert reason in contents.unusable[0].reason


def test_objects_of_a_large_file_are_read_across_the_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_array, "_CHARACTERS", 64)
    tweets = [tweet(number, f"Nummer {number} — ☕") for number in range(1, 30)]
    assert len(read(tmp_path, x(*tweets)).documents) == 29


def test_an_object_that_never_ends_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_array, "OBJECT_CHARACTERS", 1_000)
    text = f"window.YTD.tweets.part0 = [{json.dumps(tweet(1, ' '.join(map(str, range(400_000)))))}]"
    assert "more than 1,000 characters" in broken(tmp_path, text).unusable[0].reason
