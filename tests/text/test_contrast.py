from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from octad.text.contrast import contrast, voices
from octad.text.tokens import term_matrix

CALM = ["pays quickly", "fine so far", "love the colours", "scan works"]


def corpus(*parts: tuple[list[str], int]) -> tuple[list[str], list[np.ndarray]]:
    """Texts repeated so many times, and a mask for each part."""
    texts: list[str] = []
    edges = [0]
    for part, times in parts:
        texts += part * times
        edges.append(len(texts))
    masks = []
    for one, two in pairwise(edges):
        mask = np.zeros(len(texts), dtype=bool)
        mask[one:two] = True
        masks.append(mask)
    return texts, masks


def test_a_two_group_table_worked_by_hand() -> None:
    # 30 of 200 before and 90 of 300 after hold "crash"; everything else is stop words.
    texts, (before, after) = corpus(
        (["crash"] * 30 + ["the"] * 170, 1), (["crash"] * 90 + ["the"] * 210, 1)
    )
    (shift,) = contrast(term_matrix(texts), before, after).rose
    # Monroe, Colaresi and Quinn (2008), equations 15 to 22, on documents: the prior weighs a
    # tenth of the smaller side, 20 documents, of which the share in both together (plus half a
    # document) hold the term.
    prior = 20 * (120 + 0.5) / 501
    one, two = 90 + prior, 30 + prior
    delta = math.log(one / (320 - one)) - math.log(two / (220 - two))
    se = math.sqrt(1 / one + 1 / (320 - one) + 1 / two + 1 / (220 - two))
    assert shift.term == "crash"
    assert shift.z == pytest.approx(delta / se, rel=1e-12)
    assert shift.ratio == pytest.approx(math.exp(delta), rel=1e-12)
    assert (shift.before, shift.after) == (30, 90)
    assert shift.share_after == pytest.approx(0.3)


def test_swapping_the_sides_turns_rise_into_fall() -> None:
    texts, (before, after) = corpus((CALM, 50), ([*CALM, "crash again"], 40))
    matrix = term_matrix(texts)
    one, two = contrast(matrix, before, after), contrast(matrix, after, before)
    assert [s.term for s in one.rose] == [s.term for s in two.fell] == ["crash"]
    assert one.rose[0].z == pytest.approx(-two.fell[0].z)


def test_a_shock_that_controls_share_is_taken_off() -> None:
    shock = [*CALM, "crash since the phone update"]
    texts, (before, after, there_before, there_after) = corpus(
        (CALM, 60), (shock, 60), (CALM, 60), (shock, 60)
    )
    matrix = term_matrix(texts)
    assert contrast(matrix, before, after).rose
    controlled = contrast(matrix, before, after, controls=[(there_before, there_after)])
    assert controlled.controlled
    assert not controlled.rose


def test_a_control_that_never_uses_the_word_takes_nothing_off() -> None:
    texts, (before, after, there_before, there_after) = corpus(
        (CALM, 60), ([*CALM, "feed"], 60), (CALM, 60), (CALM, 60)
    )
    found = contrast(term_matrix(texts), before, after, controls=[(there_before, there_after)])
    assert "feed" in {shift.term for shift in found.rose}


def test_one_ranter_is_one_voice() -> None:
    texts, (before, calm, rant) = corpus((CALM, 50), (CALM, 50), (["crash"], 40))
    matrix, after = term_matrix(texts), calm | rant
    authors = np.array([f"a{i}" for i in range(len(texts))], dtype=object)
    assert contrast(matrix, before, after, voice=voices(texts, authors)).rose
    authors[rant] = "ranter"
    assert not contrast(matrix, before, after, voice=voices(texts, authors)).rose


def test_one_text_posted_again_by_unknown_authors_is_one_voice() -> None:
    pasted = "This feed is the worst thing that ever happened to a wallet, I want it gone today"
    texts = [*CALM, pasted, pasted + "!!", pasted.upper(), "good", "good"]
    found = voices(texts, np.full(len(texts), "", dtype=object)).tolist()
    assert found[4] == found[5] == found[6]
    assert len(set(found)) == len(texts) - 2  # two short equal texts stay two voices


def test_nothing_rises_by_chance() -> None:
    rng = np.random.default_rng(3)
    words = [f"word{i}" for i in range(200)]
    false = 0
    for _ in range(20):
        texts = [" ".join(rng.choice(words, 8)) for _ in range(300)]
        after = rng.random(300) < 0.5
        found = contrast(term_matrix(texts, phrases=False), ~after, after)
        false += bool(found.rose or found.fell)
    assert false <= 3  # at a false discovery rate of 5%, four of twenty have a chance of 1.6%


def test_empty_sides_give_empty_lists() -> None:
    matrix = term_matrix(CALM * 3)
    none = np.zeros(12, dtype=bool)
    assert contrast(matrix, none, ~none).rose == ()
    assert contrast(term_matrix([]), none[:0], none[:0]).tested == 0


def test_a_planted_rise_is_found_beside_a_shared_shock_and_the_shock_is_not() -> None:
    rng = np.random.default_rng(12)
    found = shocks = others = 0
    for _ in range(30):
        texts: list[str] = []
        side: list[tuple[bool, bool]] = []
        for ours in (True, False):
            for after in (False, True):
                for _ in range(300):
                    words = [w for w in ("pay", "shop", "quick", "safe") if rng.random() < 0.3]
                    if rng.random() < (0.25 if after else 0.05):
                        words.append("outage")
                    if rng.random() < (0.2 if after and ours else 0.05):
                        words.append("feed")
                    texts.append(" ".join(["well", *rng.permutation(words)]))
                    side.append((ours, after))
        who, when = (np.array(column) for column in zip(*side, strict=True))
        result = contrast(
            term_matrix(texts, phrases=False),
            who & ~when,
            who & when,
            controls=[(~who & ~when, ~who & when)],
        )
        rose = {shift.term for shift in result.rose}
        found += "feed" in rose
        shocks += "outage" in rose
        others += bool(rose - {"feed", "outage"})
    # Planted: 5% to 20% of 300 voices, z about 4. The outage goes from 5% to 25% at both, and is
    # taken off.
    assert found >= 27
    # 30 rounds at a true 5% give 5 or fewer in 996 of 1,000 (binomial).
    assert shocks <= 5
    assert others <= 5
