"""Texts that are hard to clean and to cut: characters with a special meaning, in any order."""

from hypothesis import strategies as st

_PIECES = (
    *("\n", "\n\n", "\r\n", "\r", " ", "    ", "\t", "    \n", "\x0b", "\u2028", "\x85"),
    *("```", "~~~~", "> ", "- ", "  * ", "1. ", "# ", "---", "| a | b |\n|---|---|\n"),
    *("\u00a0", "\u3000", "\u200b", "\u200d", "\ufe0f", "\ufeff", "\u202e", "\x00", "\U000e0062"),
    *("𝗯𝗼𝗹𝗱", "ﬁ", "Ａ", "｀", "\u1fef", "\u0301", "\u212a", "é", "😀", "👩\u200d💻", "🇩🇪", "🏴"),
    *("سلام", "می\u200cروم", "你好。", "क्\u200dष", "word", "Hello there. ", "a, b; c", "x" * 30),
    *("def f():", "    return 1", "\\", "`", "Share", "Copy link", "Share this post", "#### T"),
    *("Subscribe", "Open in app", "Ready for more?", "42", "unblock scripts", "Dr. ", "e.g. "),
)

awkward_texts = st.lists(st.sampled_from(_PIECES) | st.text(max_size=3), max_size=40).map("".join)
