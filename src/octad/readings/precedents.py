"""Past releases whose notes read like this launch, and what came of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from octad.model.finding import Finding, Grade, Table
from octad.model.inputs import Releases
from octad.model.numbers import day as day_text
from octad.model.numbers import plain
from octad.model.plan import Plan
from octad.readings.voices import Talk
from octad.text.mentions import terms_pattern
from octad.text.notes import likeness
from octad.text.redact import redact

__all__ = ["precedents"]

_DAYS, _SHORTEST = 28, 7
_FEWEST = 10
_ALIKE = 0.3
_MOST = 5
_MIN_NOTES = 3
_TAKEN_BACK = re.compile(
    r"\b(?:hid(?:e|den)|gone|remov(?:e|ed|es)|quieter|turn(?:ed)? off|switch(?:ed)? off|no longer"
    r"|goodbye|hapus|dihapus|sembunyikan)\b|下线|移除|隐藏|取消|关闭",
    re.IGNORECASE,
)
"""Words of a line that takes a thing back: it is no precedent for adding one."""


@dataclass(frozen=True, slots=True)
class _Past:
    """A past release and its stars before and after."""

    row: int
    alike: float
    words: tuple[str, ...]
    line: str
    before: float
    after: float
    se: float
    talk: float

    @property
    def fell(self) -> bool:
        """Whether its stars fell beyond what chance does in one case of forty."""
        return self.after - self.before < -1.96 * self.se


def _query(plan: Plan, releases: Releases, start: np.datetime64) -> tuple[str, str]:
    """The launch in words: what the plan says and our note of that week; and its jobs' terms."""
    jobs = plan.project.charter.jobs
    terms = [term for job in plan.launch.jobs if job in jobs for term in jobs[job].terms]
    day = releases.time.astype("datetime64[D]")
    beside = releases.ours & (np.abs((day - start).astype(int)) <= 3)
    return "\n".join([plan.launch.what, *map(str, releases.notes[beside])]), "\n".join(terms)


def _outcome(talk: Talk, releases: Releases, row: int) -> tuple[float, float, float, float] | None:
    """Stars before and after a release, the difference's error, and the ratio of talk a day.

    The windows are 28 days, but end at the product's release before and after this one, so that
    one release is not blamed for another.
    """
    reviews, product = talk.reviews, releases.product[row]
    released = releases.time.astype("datetime64[D]")
    day = released[row]
    others = released[(releases.product == product) & ~np.isnat(released)]
    start = max([*(d for d in others if d <= day - _SHORTEST), day - _DAYS])
    end = min([*(d for d in others if d >= day + _SHORTEST), day + _DAYS])
    at = reviews.time.astype("datetime64[D]")
    mine = (reviews.product == product) & talk.sound
    one, two = mine & (at >= start) & (at < day), mine & (at >= day) & (at < end)
    old, new = (reviews.rating[side & np.isfinite(reviews.rating)] for side in (one, two))
    if len(old) < _FEWEST or len(new) < _FEWEST:
        return None
    se = float(np.sqrt(old.var(ddof=1) / len(old) + new.var(ddof=1) / len(new)))
    days = float((end - day).astype(int) / max(int((day - start).astype(int)), 1))
    return float(old.mean()), float(new.mean()), se, float(two.sum() / max(one.sum(), 1)) / days


def precedents(plan: Plan, talk: Talk, releases: Releases | None) -> Finding | str:
    """Look up past releases with similar notes, of ours and of rivals.

    Similar is the share of a note's closest line that is the launch's too, rare words weighing
    more (`octad.text.notes`); what it rests on is shown, and lines that take something back are
    passed over unless the launch does. What came of a release is its product's stars in up to 28
    days before and after, bought praise set aside. Beside it stands the share of *all* past
    releases after which stars fell.

    Returns:
        The finding, or what is missing.
    """
    if releases is None or not len(releases.time):
        return (
            "A `releases` source with past release notes, ours and rivals', to look up precedents."
        )
    past = ~np.isnat(releases.time) & (
        releases.time.astype("datetime64[D]") < talk.start - np.timedelta64(_DAYS, "D")
    )
    rows = np.flatnonzero(past)
    if len(rows) < _MIN_NOTES:
        return f"At least {_MIN_NOTES} releases from more than {_DAYS} days before the launch."
    query, terms = _query(plan, releases, talk.start)
    names = terms_pattern([plan.project.product, *plan.project.rivals], inflect=False)
    notes = [str(releases.notes[i]) for i in rows]
    plain_notes = [names.sub(" ", note) if names else note for note in [*notes, query]]
    found = likeness(plain_notes[:-1], plain_notes[-1], terms)
    if found is None:
        return (
            "What the launch is, in words: `what:` in its file is too short to look up precedents."
        )
    known: list[_Past] = []
    for i, row in enumerate(rows):
        outcome = _outcome(talk, releases, int(row))
        if outcome is not None:
            known.append(
                _Past(int(row), float(found.alike[i]), found.words[i][:4], found.lines[i], *outcome)
            )
    if len(known) < _MIN_NOTES:
        return (
            f"Reviews around past releases: only {len(known)} of {len(rows)} have {_FEWEST} "
            f"reviews in the {_DAYS} days before and as many after."
        )
    back = _TAKEN_BACK.search(query) is not None
    fits = [p for p in known if p.alike >= _ALIKE and (back or not _TAKEN_BACK.search(p.line))]
    similar = sorted(fits, key=lambda p: -p.alike)[:_MOST]
    return _finding(releases, known, similar, len(rows))


def _finding(releases: Releases, known: list[_Past], similar: list[_Past], looked: int) -> Finding:
    base = sum(p.fell for p in known) / len(known)
    usual = f"after {base:.0%} of all {len(known)} past releases"
    if not similar:
        claim = f"No past release reads like this one; ratings fell {usual}."
    else:
        fell = sum(p.fell for p in similar)
        claim = (
            f"After {fell} of {len(similar)} similar past releases ratings fell; they fell {usual}."
        )
    rows = tuple(
        (
            f"{releases.product[p.row]} {releases.version[p.row] or ''}".strip(),
            day_text(releases.time[p.row].astype("datetime64[D]").item()),
            redact(p.line, 120),
            ", ".join(p.words),
            f"{plain(p.before, 1)} → {plain(p.after, 1)}",
            f"×{plain(p.talk, 1)}",
        )
        for p in similar
    )
    table = Table(
        title="Releases that read like this one, most alike first",
        columns=("release", "day", "what it says", "in common", "stars", "talk"),
        rows=rows,
    )
    return Finding(
        id="rival.precedents",
        claim=claim,
        grade=Grade.T,
        n=len(similar),
        method=f"share of a note's closest line that is the launch's, at least {_ALIKE:.0%}, close "
        f"words taken for one and what all notes say left out; stars in up "
        f"to {_DAYS} days before and after, fallen when the 95% interval lies below zero; {looked} "
        "past releases read",
        assumes="Notes that read alike were releases that were alike.",
        breaks="Notes such as “bug fixes”; several releases in one month; few reviews.",
        evidence=(table,) if rows else (),
    )
