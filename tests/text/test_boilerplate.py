"""Text that platforms add is dropped with a reason; the author's own text is kept."""

import pytest

from moodswarm.text.cleaning import CleaningParams, clean_text

SUBSTACK_PAGE = """\
# The Daily Gull

SubscribeSign in

Share this post

#### Why gulls steal chips and what that tells us about the sea and its
neighbours

gulls.substack.com

Copy link

Facebook

Email

Note

Other

# Why gulls steal chips

They are hungry. So are we.

12

Share this post

#### Why gulls steal chips and what that tells us about the sea and its
neighbours

gulls.substack.com

Copy link

Share

#### Discussion about this post

Comments

| Ann ReaderJun 3Liked by GullI love this, more gulls please!Expand full
commentReplyShare
---|---

2 more comments...

Ready for more?

Subscribe

© 2024 The Gull

Privacy ∙ Terms ∙ Collection notice

Start WritingGet the app

This site requires JavaScript to run correctly. Please turn on JavaScript or
unblock scripts
"""


def clean(text: str) -> tuple[str, dict[str, int]]:
    cleaned = clean_text(text, "article", CleaningParams())
    return cleaned.text, dict(cleaned.dropped)


def test_a_substack_page_keeps_only_its_article() -> None:
    text, dropped = clean(SUBSTACK_PAGE)
    assert text == ("# The Daily Gull\n\n# Why gulls steal chips\n\nThey are hungry. So are we.")
    assert set(dropped) == {
        "discussion",
        "javascript_notice",
        "reader_comment",
        "share_prompt",
        "site_footer",
        "subscribe_prompt",
    }


def test_dropped_characters_are_counted_per_reason() -> None:
    assert clean("Text.\n\nShare this post\n\nCopy link")[1] == {"share_prompt": 24}


@pytest.mark.parametrize(
    "text",
    [
        "Share\n\nwhat you have.",
        "## Comments\n\nI like comments in code.",
        "Ready for more?\n\nThen read on.",
        "Top\n\nLatest\n\nOther",
        "The button says Subscribe now and I never did.",
        "Mine was:\n\n    Share this post\n    Copy link",
        "```\nThis site requires JavaScript to run correctly.\nShare this post\n```\n",
    ],
)
def test_text_that_an_author_may_write_is_kept(text: str) -> None:
    assert clean(text) == (text, {})


def test_a_heading_of_the_author_after_a_share_prompt_is_kept() -> None:
    assert clean("Share this post\n\n# My next thought\n\nIt goes on.")[0] == (
        "# My next thought\n\nIt goes on."
    )


def test_numbers_are_dropped_only_next_to_a_prompt() -> None:
    assert clean("7\n\nSeven gulls.\n\n7\n\nShare this post")[0] == "7\n\nSeven gulls."


def test_code_between_a_word_and_a_prompt_keeps_the_word() -> None:
    text, _ = clean("Subscribe\n\n    code\n\nShare this post")
    assert text.startswith("Subscribe\n\n    code")


def test_the_subscribe_sentence_is_dropped_even_if_wrapped() -> None:
    prompt = (
        "The Daily Gull is a reader-supported publication. To receive new posts and support\n"
        "my work, consider becoming a free or paid subscriber."
    )
    assert clean(f"Before.\n\n{prompt}\n\nAfter.")[0] == "Before.\n\nAfter."


def test_medium_navigation_that_is_glued_to_the_text_is_cut() -> None:
    text, dropped = clean(
        "Gulls | BirdsOpen in appSign upSign inWriteSign upSign inWhy gulls stealA. Gull"
        "·FollowPublished inBirds·9 min read·Mar 1, 20241.2K7ListenShareThey are hungry."
    )
    assert text == "Why gulls stealA. Gull\n\nThey are hungry."
    assert set(dropped) == {"medium_navigation"}


def test_the_medium_footer_that_is_glued_to_the_text_is_cut() -> None:
    begin = "Sign up to discover human stories that deepen your understanding of the world.Free"
    end = "See more recommendationsHelpStatusAboutCareersPressBlogPrivacyTermsText to speechTeams"
    text, dropped = clean(f"They are hungry.{begin}Other people's stories{end}")
    assert text == "They are hungry."
    assert dropped == {"medium_footer": len(begin) + len("Other people's stories") + len(end)}


def test_boilerplate_is_kept_if_asked_for() -> None:
    params = CleaningParams(drop_boilerplate=False)
    assert clean_text("Share this post", "article", params).text == "Share this post"
