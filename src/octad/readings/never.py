"""The lines a product must never cross: what the plan answers, and who says otherwise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Evidence, Finding, Grade, Quotes, Stance
from octad.model.plan import Plan
from octad.readings.voices import Talk, quote_of
from octad.text.concepts import Concepts, concepts_of, speaks_of
from octad.text.contrast import voices

__all__ = ["never_lines"]

_SEVERAL = 3
_TIMES = 2.0


def never_lines(plan: Plan, talk: Talk | None) -> list[Finding]:
    """Hold each never-line against the plan's answer and our reviews after the launch.

    A review speaks against a line when it touches the line's name and a further word of its
    sentence, or close words (see `octad.text.concepts`), and gives three stars or fewer, or none.
    Three voices or more, at least twice as often as before, are against; fewer, or a line that
    nobody answered, are mixed. Quotes never show that a line was crossed: a person's signed word
    does, and only that makes harm.

    Returns:
        One finding a line.
    """
    findings = []
    for name, line in plan.project.charter.never.items():
        answer = plan.launch.never.get(name, "").strip()
        found = _quoted(talk, concepts_of(name, line)) if talk is not None else None
        findings.append(_finding(name, line, answer, talk, found))
    return findings


def _quoted(
    talk: Talk, concepts: Concepts
) -> tuple[NDArray[np.int64], int, int, float, tuple[str, ...]]:
    """Rows that speak against after; voices after, before; days after over days before; words."""
    reviews = talk.reviews
    unhappy = ~(reviews.rating > 3)
    rows = np.flatnonzero(talk.ours & talk.sound & unhappy & (talk.before | talk.after))
    marked = rows[speaks_of(reviews.text[rows], concepts)]
    voice = voices(reviews.text[marked], reviews.author[marked])
    after = talk.after[marked]
    count = [len(set(voice[side].tolist())) for side in (~after, after)]
    return marked[after], count[1], count[0], talk.days_after / talk.days_before, concepts.words


def _finding(
    name: str,
    line: str,
    answer: str,
    talk: Talk | None,
    found: tuple[NDArray[np.int64], int, int, float, tuple[str, ...]] | None,
) -> Finding:
    evidence: tuple[Evidence, ...] = ()
    said = f"the plan answers: “{answer}”" if answer else "the plan does not answer it"
    stance: Stance | None = None if answer else Stance.MIXED
    n, method = None, "the plan's answer; no reviews to look in"
    against = "no reviews to hear otherwise"
    if found is not None and talk is not None:
        rows, after, before, days, words = found
        n = int((talk.ours & talk.sound & talk.after).sum())
        against = f"of {n:,} reviews after the launch none speaks against it"
        if after:
            against = (
                f"{after} {'review' if after == 1 else 'reviews'} after the launch may speak "
                f"against it, {before} before"
            )
            often = after >= _TIMES * max(before * days, 0.5)
            stance = Stance.AGAINST if after >= _SEVERAL and often else Stance.MIXED
            evidence = (
                Quotes(
                    title="Read these: do they tell of a crossed line?",
                    quotes=tuple(quote_of(talk, int(row)) for row in rows[:4]),
                ),
            )
        method = (
            f"unhappy reviews that hold close words of: {', '.join(words)}; a voice counts once; "
            f"{talk.windows}"
        )
    return Finding(
        id=f"product.never.{name}",
        claim=f"Never “{line.strip().rstrip('.')}”: {said}; {against}.",
        stance=stance,
        grade=Grade.T,
        n=n,
        method=method,
        assumes="Whoever was hurt writes a review, in words close to these.",
        breaks="The ashamed stay silent; and close words may tell of something else. Read them.",
        evidence=evidence,
    )
