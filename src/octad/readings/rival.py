"""What do people say of us and of our rivals, and what came of it elsewhere?"""

from __future__ import annotations

import numpy as np

from octad.model.finding import (
    Answer,
    Finding,
    Grade,
    Stance,
    Table,
)
from octad.model.inputs import Inputs
from octad.model.needs import Needs
from octad.model.numbers import day as day_text
from octad.model.numbers import plain
from octad.model.plan import Plan
from octad.readings.demands import demands
from octad.readings.heard import hear
from octad.readings.moving import moving
from octad.readings.precedents import precedents
from octad.readings.releases import releases_around
from octad.readings.stars import stars as stars_of
from octad.readings.voices import FEWEST, Talk, listen
from octad.readings.words import is_outcry, words

QUESTION = "What do people say of us and of our rivals, and what came of it elsewhere?"

_WRITERS = "Those who write reviews are no fair sample of users, but were no fairer before."
_STORE = "A prompt to review, a store that reset or filtered its ratings, praise not found out."


def needs(plan: Plan) -> Needs:
    """Ask for reviews and releases, ours and rivals'."""
    del plan
    return Needs(reviews=True, releases=True)


def read(plan: Plan, inputs: Inputs) -> Answer:
    """Compare what is said after the launch with what was said before, ours beside rivals'.

    Bought, pushed and pasted praise is set aside before anything is measured, and the page says
    what the figures are with it. Rivals' gains, demands, release studies and precedents are told
    but take no side.
    The stance comes from three findings:

    - stars: our change less rivals' change; against or for when its 95% interval leaves zero,
      praise set aside or not, and fewer than a fifth of earlier dates show as much; else mixed;
    - moving: whether a larger share of our reviews speaks of leaving; the same way;
    - words: complaints that rose, or praise. A complaint rises after most releases, so words
      alone make the reading no more than mixed, unless one complaint is an outcry: a quarter of
      all who write, and fifteen points more than before.

    Against: stars or moving are against, or there is an outcry, and neither is for. For: one is
    for, neither is against, and no complaint rose. Mixed: anything else. Silent: too few sound
    reviews of our product on a side, or no launch day.
    """
    talk = listen(plan, inputs)
    if isinstance(talk, str):
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary="there are no reviews to read"
            if inputs.reviews is None
            else "the reviews around the launch are too few to say anything",
            missing=(talk,),
        )
    rivals = bool((~talk.ours & talk.sound).any())
    missing = [] if rivals else [_no_rivals(plan)]
    heard = hear(talk)
    stars, moves, said = stars_of(talk), moving(plan, talk), words(heard)
    praise = _praise(plan, talk)
    asked, unasked = demands(plan, heard, inputs.topics)
    missing += unasked
    release = releases_around(talk, inputs.releases)
    found = [stars, *said, moves, praise, _gains(talk) if rivals else None, *asked]
    if isinstance(release, str):
        missing.append(release)
    else:
        found.append(release)
    past = precedents(plan, talk, inputs.releases)
    if isinstance(past, str):
        missing.append(past)
    else:
        found.append(past)
    findings = tuple(f for f in found if f is not None)
    return Answer(
        stance=_stance(stars, moves, said),
        question=QUESTION,
        summary=_summary(talk, stars, moves, said, past) + _burst(praise),
        findings=findings,
        missing=tuple(missing),
    )


def _burst(praise: Finding | None) -> str:
    """A burst of praise in the glance: whoever reads the stars must know what was set aside."""
    if praise is None or not praise.evidence:
        return ""
    return f" · {praise.claim.split(': ', 1)[1].split('; ')[0].split(' (')[0]} set aside"


def _no_rivals(plan: Plan) -> str:
    named = ", ".join(plan.project.rivals) or "rivals (name them under `rivals:`)"
    return (
        f"Reviews of {named} over the same days: without them a shock that hit everyone counts as "
        "ours."
    )


def _stance(stars: Finding | None, moves: Finding | None, said: list[Finding]) -> Stance:
    weighty = {f.stance for f in (stars, moves) if f is not None} - {None, Stance.MIXED}
    complaints = {f.id for f in said if f.stance is Stance.AGAINST}
    if any(f.id == "rival.rose" and is_outcry(f) for f in said):
        weighty.add(Stance.AGAINST)
    if weighty == {Stance.AGAINST}:
        return Stance.AGAINST
    if weighty == {Stance.FOR} and not complaints:
        return Stance.FOR
    return Stance.MIXED


def _summary(
    talk: Talk,
    stars: Finding | None,
    moves: Finding | None,
    said: list[Finding],
    past: Finding | str,
) -> str:
    parts = []
    if stars is not None and stars.estimate is not None and stars.estimate.control is not None:
        e = stars.estimate
        parts.append(f"stars {plain(e.control or 0, 1)} → {plain(e.treatment or 0, 1)}")
    if moves is not None and moves.stance in {Stance.AGAINST, Stance.FOR} and moves.estimate:
        parts.append(f"leaving ×{plain(moves.estimate.value, 1)}, from {moves.n} reviews")
    rose = next((f for f in said if f.id == "rival.rose"), None)
    if rose is not None and isinstance(rose.evidence[0], Table):
        top = rose.evidence[0].rows[0]
        parts.append(f"“{top[0]}” rose from {top[1]} to {top[2]} of reviews")
    if isinstance(past, Finding) and past.n:
        parts.append(past.claim.split(";")[0][:1].lower() + past.claim.split(";")[0][1:])
    if not parts:
        parts.append(f"nothing stands out in {int((talk.after & talk.ours).sum()):,} reviews")
    return " · ".join(parts)


def _praise(plan: Plan, talk: Talk) -> Finding | None:
    """Name the bursts that touch the windows, and what was pasted."""
    rows: list[tuple[str | float | int | None, ...]] = []
    first, last = talk.start - talk.days_before, talk.start + talk.days_after
    for product, praise in sorted(talk.praise.items()):
        for burst in praise.bursts:
            if np.datetime64(burst.last) >= first and np.datetime64(burst.first) < last:
                days = day_text(burst.first)
                if burst.last != burst.first:
                    days = f"{day_text(burst.first, beside=burst.last)} to {day_text(burst.last)}"
                reasons = "; ".join(burst.reasons)
                rows.append((product, days, burst.n, round(burst.expected, 1), reasons))
    near = talk.before | talk.after
    pasted = int((near & talk.pasted).sum())
    aside = int((near & ~talk.sound & ~talk.reviews.deleted).sum())
    if not rows and not pasted:
        return None
    parts = []
    if rows:
        # Ours first, then the largest.
        first_row = max(rows, key=lambda row: (row[0] == plan.project.product, int(row[2] or 0)))
        told = f"{int(first_row[2] or 0):,} five-star reviews of {first_row[0]}, {first_row[1]}"
        parts.append(told + (f", and {len(rows) - 1} more bursts" if len(rows) > 1 else ""))
    if pasted:
        parts.append(f"{pasted:,} five-star texts pasted three times or more")
    table = Table(
        title="Bursts of five-star reviews that look bought or pushed",
        columns=("product", "days", "five-star reviews", "usual", "why"),
        rows=tuple(rows),
    )
    return Finding(
        id="rival.praise",
        claim=f"Set aside, so that no rating rests on them: {'; '.join(parts)} "
        f"({aside:,} reviews of ours and rivals').",
        grade=Grade.T,
        n=aside,
        method="days with at least three times the usual five-star reviews, whose texts differ "
        "from the product's own usual (five-star share, length, near copies, deletions; z > 3.3)",
        assumes="Real joy does not come in one day's burst of texts unlike all others.",
        breaks="A prompt inside the app, or a true triumph, looks the same; see both figures.",
        evidence=(table,) if rows else (),
    )


def _gains(talk: Talk) -> Finding | None:
    """What became of each rival in the same days."""
    rows: list[tuple[str | float | int | None, ...]] = []
    best: tuple[float, str] | None = None
    changes: list[float] = []
    day = talk.reviews.time.astype("datetime64[D]")
    for product in sorted({str(p) for p in talk.reviews.product[~talk.ours]}):
        mine = (talk.reviews.product == product) & talk.sound
        one, two = int((mine & talk.before).sum()), int((mine & talk.after).sum())
        if one < FEWEST or two < FEWEST:
            continue
        # A rival whose reviews begin inside the window was not silent before; its past is unknown.
        whole = bool((day[talk.reviews.product == product] < talk.start - talk.days_before).any())
        ratio = round((two / talk.days_after) / (one / talk.days_before), 2) if whole else None
        old, new = talk.mean_stars(mine & talk.before), talk.mean_stars(mine & talk.after)
        rows.append((product, one, two, ratio, round(old, 2), round(new, 2)))
        changes.append(new - old)
        if best is None or new - old > best[0]:
            best = (new - old, product)
    if not rows or best is None:
        return None
    gained = sum(
        1 for row in rows if isinstance(row[5], float) and row[5] - float(row[4] or 0) >= 0.1
    )
    return Finding(
        id="rival.gains",
        claim=f"In the same days {gained} of {len(rows)} rivals rose by 0.1 stars or more; "
        f"{best[1]} changed most for the better, {plain(best[0], 1, signed=True)}.",
        grade=Grade.T,
        n=int((~talk.ours & talk.sound & (talk.before | talk.after)).sum()),
        method=f"mean stars and reviews a day, {talk.windows}, praise set aside",
        assumes=_WRITERS,
        breaks=_STORE,
        evidence=(
            Table(
                title="Rivals in the same days",
                columns=(
                    "rival",
                    "reviews before",
                    "after",
                    "talk ×",
                    "stars before",
                    "after",
                ),
                rows=tuple(rows),
            ),
        ),
    )
