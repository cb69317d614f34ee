"""What do people say of us and of our rivals, and what came of it elsewhere?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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

_MOVED = 0.1
_LOUDER = 2.0
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
    gains = _gains(talk) if rivals else None
    found = [stars, *said, moves, praise, gains, *asked]
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
        summary=_summary(talk, stars, moves, said, past, gains) + _burst(praise),
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
    gains: Finding | None,
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
    if gains is not None and "talk about" in gains.claim:
        told = gains.claim.rstrip(".").removeprefix("In the same days ").split("; ")
        parts += [part for part in told if part.startswith("talk about")]
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
    """What became of each rival in the same days: how much is said of it, and how well."""
    rivals = [
        found
        for product in sorted({str(p) for p in talk.reviews.product[~talk.ours]})
        if (found := _one_rival(talk, product)) is not None
    ]
    if not rivals:
        return None
    starred = any(r.change is not None for r in rivals)
    return Finding(
        id="rival.gains",
        claim=f"In the same days {'; '.join(_told(rivals))}.",
        grade=Grade.T,
        n=int((~talk.ours & talk.sound & (talk.before | talk.after)).sum()),
        method=f"mean stars and reviews a day, {talk.windows}, praise set aside",
        assumes=_WRITERS,
        breaks=_STORE,
        evidence=(
            Table(
                title="Rivals in the same days",
                columns=("rival", "reviews before", "after", "talk ×", "stars before", "after")[
                    : 6 if starred else 4
                ],
                rows=tuple(r.row[: 6 if starred else 4] for r in rivals),
            ),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Rival:
    """A rival's reviews before and after.

    Attributes:
        times: Reviews a day after over before; None where its past is unknown or it has none.
        old, new: Mean stars; None where too few gave any.
        begins: Whether its first review of all came after the launch.
    """

    name: str
    before: int
    after: int
    times: float | None
    old: float | None
    new: float | None
    begins: bool

    @property
    def change(self) -> float | None:
        """Stars after less before."""
        return None if self.old is None or self.new is None else self.new - self.old

    @property
    def row(self) -> tuple[str | float | int | None, ...]:
        """Its line in the table."""
        return (self.name, self.before, self.after, self.times, self.old, self.new)


def _one_rival(talk: Talk, name: str) -> _Rival | None:
    mine = (talk.reviews.product == name) & talk.sound
    one, two = int((mine & talk.before).sum()), int((mine & talk.after).sum())
    if max(one, two) < FEWEST:
        return None
    # A rival whose reviews begin inside the window was not silent before; its past is unknown.
    first = talk.reviews.time[talk.reviews.product == name].astype("datetime64[D]").min()
    known = bool(first < talk.start - talk.days_before) and one > 0
    times = round((two / talk.days_after) / (one / talk.days_before), 2) if known else None
    old, new = (_stars(talk, mine & side) for side in (talk.before, talk.after))
    return _Rival(name, one, two, times, old, new, bool(first >= talk.start))


def _told(rivals: list[_Rival]) -> list[str]:
    """Who rose in stars, who grew loud, who is new."""
    changes = [(r.change, r.name) for r in rivals if r.change is not None]
    louder = [
        (r.times, r.name)
        for r in rivals
        if r.times is not None and r.times >= _LOUDER and min(r.before, r.after) >= FEWEST
    ]
    begun = [(r.after, r.name) for r in rivals if r.begins]
    said = []
    if changes:
        gained = sum(1 for change, _ in changes if change >= _MOVED)
        best, name = max(changes)
        size = plain(best, 1, signed=True)
        if len(changes) == 1:
            said.append(f"the stars of {name}, the one rival, moved by {size}")
        elif gained:
            said.append(
                f"{gained} of {len(changes)} rivals rose by 0.1 stars or more, {name} most ({size})"
            )
        else:
            said.append(f"none of {len(changes)} rivals rose by 0.1 stars or more")
    if louder:
        times, name = max(louder)
        said.append(f"talk about {name} went to ×{plain(times, 1)}")
    if begun:
        many, name = max(begun)
        said.append(f"{name} was heard of for the first time ({many:,} reviews)")
    return said or ["no rival became twice as loud"]


def _stars(talk: Talk, rows: NDArray[np.bool_]) -> float | None:
    """Mean stars of the rated; None when they are too few to speak of."""
    if int((rows & np.isfinite(talk.reviews.rating)).sum()) < FEWEST:
        return None
    return round(talk.mean_stars(rows), 2)
