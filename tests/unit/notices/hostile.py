"""Text of a repository that would be a mention, a link, markup or a turn of the reading direction."""

from __future__ import annotations

from hypothesis import strategies as st

PIECES = (
    "@all", "@everyone", "<@all>", "<@U024BE7LH>", "<!channel>", "<!here|here>", "<!subteam^S1>", "<at>Ann</at>",
    '<at user_id="all">x</at>', "@13800001111", "<https://evil.example|report>", "[report](https://evil.example)",
    "![x](http://evil.example/x.png)", "https://evil.example", "HTTP://evil.example", "www.evil.example",
    "evil.example/a", "mailto:a@evil.example", "dingtalk://dingtalkclient/page", "**bold**", "_it_", "`code`", "~s~",
    "# head", "> quote", "- item", "1. item", "<font color=\"info\">", "</font>", "&lt;!channel&gt;", "&#60;b&#62;",
    "<b>x</b>", "<script>", "\\", "\\[", '"', "'", "\u202e", "\u2066", "\u200b", "\ufeff", "\x00", "\x1b[2J", "\n",
    "\r\n", "\t", "\ud800", "验证发布被拒绝", "é", "e\u0301", "👩‍💻", "🎉", "ﷺ", "l" * 40, "中" * 40,
    "{model}", "%(x)s",
)  # fmt: skip

hostile_text = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.text(max_size=80),
)
long_text = st.tuples(st.sampled_from(PIECES), st.integers(1, 60)).map(lambda found: found[0] * found[1])
lines = st.lists(st.one_of(hostile_text, long_text), max_size=20)
