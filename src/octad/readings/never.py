"""The lines a product must never cross: what the plan answers, and what speaks otherwise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Evidence, Finding, Grade, Number, Quotes, Stance
from octad.model.inputs import Inputs
from octad.model.numbers import share
from octad.model.plan import Plan
from octad.readings.base import ASSUMES, BREAKS, grade_of
from octad.readings.claims import in_arm
from octad.readings.measure import anytime_decides, effect_number
from octad.readings.voices import Talk, quote_of
from octad.stats.effects import Effect, compare, of_shares
from octad.stats.refusal import NotEstimable
from octad.text.concepts import Concepts, concepts_of, speaks_of, touches
from octad.text.contrast import voices

__all__ = ["never_lines"]

_SEVERAL = 3
_TIMES = 2.0


@dataclass(frozen=True, slots=True)
class _Met:
    """An error event whose name touches a line, and how many more met it with the launch.

    Attributes:
        low: The lower end of the interval that decides, of the difference in shares of users.
    """

    kind: str
    arm: str
    effect: Effect
    low: float


def never_lines(plan: Plan, talk: Talk | None, inputs: Inputs) -> list[Finding]:
    """Hold each never-line against the plan's answer, our reviews after it, and error events.

    A review speaks against a line when it touches the line's name and a further word of its
    sentence, or close words (see `octad.text.concepts`), and gives three stars or fewer, or none.
    Three voices or more, at least twice as often as before, are against; fewer, or a line that
    nobody answered, are mixed. An event of the charter's `errors:` whose name holds close words of
    a line is against when more users are shown to meet it with the launch than without, errors
    widened for the number of such events and arms. Neither shows that a line was crossed: a
    person's signed word does, and only that makes harm.

    Returns:
        One finding a line.
    """
    findings = []
    lines = {n: concepts_of(n, line) for n, line in plan.project.charter.never.items()}
    met = _met(plan, inputs, lines)
    for name, line in plan.project.charter.never.items():
        answer = plan.launch.never.get(name, "").strip()
        found = _quoted(talk, lines[name]) if talk is not None else None
        finding = _finding(name, line, answer, talk, found)
        findings.append(_with_events(plan, inputs, finding, met[name]))
    return findings


def _met(plan: Plan, inputs: Inputs, lines: dict[str, Concepts]) -> dict[str, list[_Met]]:
    """By line, the error events that touch it, the one most surely met more first."""
    errors = inputs.errors
    found: dict[str, list[_Met]] = {name: [] for name in lines}
    if errors is None or len(inputs.arms) < 2:
        return found
    pairs = [(n, k) for n, concepts in lines.items() for k in errors.kinds if touches(k, concepts)]
    tests = max(1, len({kind for _, kind in pairs}) * (len(inputs.arms) - 1))
    level = 1 - (1 - plan.launch.rules.level) / tests
    users = errors.users.sum(axis=1)
    for name, kind in pairs:
        hits = errors.kinds[kind].sum(axis=1)
        for arm in range(1, len(inputs.arms)):
            sides = (of_shares(float(hits[a]), float(users[a])) for a in (0, arm))
            try:
                effect = compare(*sides, relative=False, level=level)
            except (NotEstimable, ValueError):
                continue
            low = effect.anytime_low if anytime_decides(plan, inputs) else effect.low
            found[name].append(_Met(kind, inputs.arms[arm], effect, -1.0 if low is None else low))
    for events in found.values():
        events.sort(key=lambda one: -one.low)
    return found


def _with_events(plan: Plan, inputs: Inputs, finding: Finding, met: list[_Met]) -> Finding:
    """Add what the events say: against when one of them rose, beside whatever the quotes say."""
    if not met:
        return finding
    worst = met[0]
    e = worst.effect
    words = (
        f"“{worst.kind}” was met by {share(e.treatment, 2)} of users{in_arm(inputs, worst.arm)}, "
        f"{share(e.control, 2)} in control"
    )
    claim = f"{finding.claim.rstrip('.')}; {words}."
    method = (
        f"{finding.method}; events named by close words: {', '.join(sorted({m.kind for m in met}))}"
    )
    if e.low <= 0:
        return finding.model_copy(update={"claim": claim, "method": method})
    grade = grade_of(plan)
    number: Number = effect_number(e, "share")
    return finding.model_copy(
        update={
            "claim": claim,
            "method": method,
            "stance": Stance.AGAINST,
            "grade": grade,
            "estimate": number,
            "assumes": f"The event means what its name says. {ASSUMES[grade]}",
            "breaks": f"{finding.breaks} {BREAKS[grade]}",
        }
    )


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
