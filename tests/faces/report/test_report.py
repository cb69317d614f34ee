from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import ClassVar

import pytest

from octad.faces.report import report
from octad.model.review import Review, Verdict
from tests.faces.sample import HOSTILE, review, thin_review


class _Page(HTMLParser):
    """Collects what a page is made of."""

    void: ClassVar = {"meta", "link", "br", "img", "input", "hr"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.void:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), name
            if name == "id":
                self.ids.append(str(value))
            if name in {"href", "src", "xlink:href"}:
                self.links.append(str(value))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("made", [review(), thin_review()], ids=["full", "thin"])
def test_it_is_whole_and_calls_nobody(made: Review) -> None:
    page = _Page(report(made))
    assert page.open == []
    assert not {"script", "img", "iframe", "object", "form"} & set(page.tags)
    assert all(link.startswith(("#", "data:image/svg+xml,")) for link in page.links)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert {"main", "header", "footer"} <= set(page.tags)


def test_its_policy_forbids_everything_but_its_own_style() -> None:
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in report(review())
    known = r"http-equiv|https?://evil|http%3A//www\.w3\.org"
    assert "http" not in re.sub(known, "", report(review()))


def test_hostile_texts_are_inert() -> None:
    texts = HOSTILE
    made = review().model_copy(
        update={
            "what": texts[0],
            "product": texts[1],
            "launch": texts[2],
            "because": texts,
            "next": texts,
            "rule": texts[0],
            "arms": dict.fromkeys(texts, 1),
            "warnings": texts,
            "plan_digest": texts[0],
        }
    )
    page = report(made)
    assert "<script" not in page
    assert not set(page) & {"\x1b", "\x9b", "\u202e", "\u200b", "\x07"}
    assert len(page) < 250_000
    _Page(page)


def test_everything_a_reader_needs_is_there() -> None:
    page = report(review())
    for words in (
        "Roll back",
        "What would change this",
        "Would be wrong if",
        "Would be settled by",
        "To say anything, this reading needs",
        "It could say more with",
        "How this was found, and its query",
        "Done otherwise than planned",
        "Left out of the numbers",
        "What this review cost",
        "What the words on this page mean",
        "Chance decided who got the launch",
        "[−4.0, −2.2]",
        "n = 98,212",
        "49,120",
    ):
        assert words in page, words


def test_simulated_projects_say_so_on_every_page() -> None:
    page = report(review())
    assert "<b>Simulated data.</b> No real person is in these numbers." in page
    assert '@page { @top-center { content: "Simulated data. No real person' in page
    assert "imulated data" not in report(review().model_copy(update={"simulated": False}))


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_its_page(verdict: Verdict) -> None:
    page = report(review().model_copy(update={"verdict": verdict}))
    assert f'<body class="v-{verdict.value.replace(" ", "-")}">' in page


def test_it_is_the_same_every_time() -> None:
    assert report(review()) == report(review())
