"""X's archive becomes posts, one for each thread, in the author's own words only."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from imports.archives.builders import (
    ACCOUNT,
    Contents,
    answer,
    note,
    tweet,
    version,
    x,
    ytd,
    zipped,
)
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


ID = 1_785_000_000_000_000_000
BEGINNING = "The tide table of Port Merrin is wrong by nine minutes, and here is why. " * 3


def with_notes(tmp_path: Path, notes: list[dict[str, Any]], *tweets: dict[str, Any]) -> Contents:
    return read(tmp_path, x(*tweets, **{"data/note-tweet.js": ytd("note_tweet", notes)}))


def test_a_long_tweet_has_its_full_text(tmp_path: Path) -> None:
    urls = [{"shortUrl": "https://t.co/b", "expandedUrl": "https://mira.example/pier"}]
    full = note(ID, f"{BEGINNING}Because the pier moved. See https://t.co/b", urls=urls)
    tweets = (tweet(ID, f"{BEGINNING[:200]}… https://t.co/x"), tweet(ID + 9, "Short."))
    assert texts(with_notes(tmp_path, [full], *tweets)) == [
        f"{BEGINNING}Because the pier moved. See https://mira.example/pier",
        "Short.",
    ]


def test_a_note_may_be_shorter_than_its_tweet_with_links_written_out(tmp_path: Path) -> None:
    long = {"url": "https://t.co/b", "expanded_url": f"https://mira.example/{'pier/' * 40}"}
    cut = tweet(ID, "https://t.co/b Because the…", entities={"urls": [long]})
    contents = with_notes(tmp_path, [note(ID, "Because the pier moved.")], cut)
    assert texts(contents) == ["Because the pier moved."]


def test_the_text_of_a_note_is_not_unescaped(tmp_path: Path) -> None:
    contents = with_notes(tmp_path, [note(ID, "Write &amp; for &.")], tweet(ID, "Write &amp;amp;…"))
    assert texts(contents) == ["Write &amp; for &."]


def test_the_notes_of_a_thread_go_to_the_tweets_after_them(tmp_path: Path) -> None:
    later = ID + (400 << 22)
    tweets = (tweet(ID, "First…"), answer(later, ID, "Second…"), answer(later + 9, later, "Third."))
    notes = [note(later, "Second and more.", before_ms=12), note(ID, "First and more.")]
    (post,) = with_notes(tmp_path, notes, *tweets).documents
    assert post.content == "First and more.\n\nSecond and more.\n\nThird."


def test_a_note_without_its_tweet_is_counted(tmp_path: Path) -> None:
    notes = [note(ID, "Deleted.", before_ms=5_000), note(ID, "Of one."), note(ID, "Of two.", 30)]
    contents = with_notes(tmp_path, notes, tweet(ID, "One…"))
    assert texts(contents) == ["Of one."]
    assert contents.reasons == ["without_tweet", "without_tweet"]


def test_an_edited_tweet_is_one_post_with_its_last_text(tmp_path: Path) -> None:
    first = tweet(1, "Tea at nien.", edit_info={"initial": {"editTweetIds": ["1", "2", "3"]}})
    edits = (version(2, 1, "Tea at nine."), version(3, 1, "Tea at ten."))
    contents = read(tmp_path, x(edits[1], first, edits[0], answer(4, 2, "Bring cups.")))
    (post,) = contents.documents
    assert post.content == "Tea at ten.\n\nBring cups."
    assert post.link.endswith("/status/1")
    assert post.published_at == datetime(2024, 5, 1, 12, 1, tzinfo=UTC)
    assert contents.reasons == ["edited", "edited"]


def test_an_edited_reply_and_an_edited_answer_to_an_edit_stay_in_their_thread(
    tmp_path: Path,
) -> None:
    first = tweet(1, "On.", edit_info={"initial": {"editTweetIds": ["1", "2"]}})
    part = answer(3, 2, "Tow.")
    edit = version(4, 3, "Two.", in_reply_to_status_id_str="2", in_reply_to_user_id_str="77")
    (post,) = read(tmp_path, x(first, version(2, 1, "One."), part, edit)).documents
    assert post.content == "One.\n\nTwo."


def test_the_address_of_an_edit_is_that_of_a_first_version_that_is_missing(tmp_path: Path) -> None:
    (post,) = read(tmp_path, x(version(3, 1, "Third."), version(2, 1, "Second."))).documents
    assert (post.content, post.link) == ("Third.", "https://x.com/mira/status/1")


def test_an_edited_long_tweet_has_the_note_of_its_last_version(tmp_path: Path) -> None:
    later = ID + (60_000 << 22)
    tweets = (tweet(ID, "The first…"), version(later, ID, "The second…"))
    notes = [note(ID, "The first text."), note(later, "The second text.")]
    assert texts(with_notes(tmp_path, notes, *tweets)) == ["The second text."]


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("https://t.co/a", ["link_only"]),
        ("https://t.co/a https://t.co/b …", ["link_only"]),
        ("(https://t.co/a)", ["link_only"]),
        ("Tea: https://t.co/a", []),
        ("🫖 https://t.co/a", []),
    ],
)
def test_a_tweet_that_is_a_link_alone_is_skipped(
    tmp_path: Path, text: str, reasons: list[str]
) -> None:
    assert read(tmp_path, x(tweet(1, text))).reasons == reasons


def test_a_link_in_a_thread_stays(tmp_path: Path) -> None:
    assert texts(read(tmp_path, x(tweet(1, "Tea."), answer(2, 1, "https://a.example")))) == [
        "Tea.\n\nhttps://a.example"
    ]


@pytest.mark.parametrize(
    ("source", "reasons"),
    [
        ('<a href="https://ifttt.com" rel="nofollow">IFTTT</a>', ["automatic"]),
        ('<a href="https://dlvrit.com/" rel="nofollow">dlvr.it</a>', ["automatic"]),
        ('<a href="https://buffer.com" rel="nofollow">Buffer</a>', []),
        ('<a href="https://x.com" rel="nofollow">Twitter Web App</a>', []),
        (None, []),
    ],
)
def test_what_a_machine_posted_is_skipped(
    tmp_path: Path, source: str | None, reasons: list[str]
) -> None:
    assert read(tmp_path, x(tweet(1, "New post: Tea", source=source))).reasons == reasons


@pytest.mark.parametrize(
    ("code", "language"),
    [("in", "id"), ("iw", "he"), ("ji", "yi"), ("uk", "uk"), ("und", None), ("qme", None)],
)
def test_languages_have_their_present_codes(
    tmp_path: Path, code: str, language: str | None
) -> None:
    (post,) = read(tmp_path, x(tweet(1, "Teh.", lang=code))).documents
    assert post.language == language


def test_posts_in_communities_are_posts_and_those_for_a_circle_are_not(tmp_path: Path) -> None:
    more = {
        "data/community-tweet.js": ytd("community_tweet", [tweet(2, "Hello, sailors.")]),
        "data/twitter-circle-tweet.js": ytd("twitter_circle_tweet", [tweet(3, "Psst.")]),
    }
    contents = read(tmp_path, x(tweet(1, "One."), **more))
    assert texts(contents) == ["One.", "Hello, sailors."]
    assert contents.reasons == ["not_public"]


def test_a_tweet_that_comes_twice_is_counted(tmp_path: Path) -> None:
    contents = read(tmp_path, x(tweet(1, "One."), tweet(1, "One again.")))
    assert (texts(contents), contents.reasons) == (["One."], ["duplicate"])


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
        (tweet(1, "One.", id_str="9" * 5_000), "id_str: expected digits"),
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
