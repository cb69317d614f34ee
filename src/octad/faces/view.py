"""One view of a review, shared by terminal, HTML, Markdown and notebook.

A view holds only words: every text is cleaned (`safe.clean`), every number is written
(`numbers.estimate`), every order is settled. A face then lays it out, and escapes it for where
it goes. Nothing is computed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from octad.faces import words
from octad.faces.cost import cost_text, stage_rows
from octad.faces.numbers import Estimate, count, day, estimate
from octad.faces.safe import clean
from octad.model.finding import Answer, Evidence, Finding, Grade, Stance
from octad.model.review import READINGS, Deviation, QueryRecord, Review

__all__ = ["FindingView", "ReadingView", "ReviewView", "view"]


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding in words; an empty string or None means there is nothing to show.

    Attributes:
        said_before: Whether what it assumes and what would break it was said, word for word, by
            an earlier finding of the same reading.
    """

    id: str
    anchor: str
    claim: str
    stance: str
    state: str
    harm: bool
    grade: str
    grade_name: str
    grade_meaning: str
    metric: str
    segment: str
    number: Estimate | None
    n: str
    method: str
    assumes: str
    breaks: str
    decides: str
    said_before: bool
    evidence: tuple[Evidence, ...]
    query: QueryRecord | None
    query_anchor: str


@dataclass(frozen=True, slots=True)
class ReadingView:
    """A reading in words.

    Attributes:
        lead: The summary again, for the head of its section; empty when a claim below says it.
        side: Its place on the emblem, 0 at the top and clockwise.
    """

    name: str
    title: str
    stance: str
    stance_meaning: str
    question: str
    summary: str
    lead: str
    findings: tuple[FindingView, ...]
    missing: tuple[str, ...]
    side: int | None


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A whole review in words.

    Attributes:
        case: The case against, as its opponent would put it; empty when there is none to put.
    """

    octad: str
    launch: str
    product: str
    what: str
    verdict: str
    verdict_key: str
    verdict_meaning: str
    rule: str
    headline: str
    reasons: tuple[str, ...]
    case: str
    next: tuple[str, ...]
    facts: tuple[str, ...]
    plan: tuple[tuple[str, str], ...]
    kpi: ReadingView
    kpi_metric: str
    readings: tuple[ReadingView, ...]
    stances: tuple[str, ...]
    queries: tuple[tuple[str, QueryRecord], ...]
    grades: tuple[tuple[str, str, str], ...]
    deviations: tuple[tuple[str, str, str], ...]
    warnings: tuple[str, ...]
    left_out: tuple[tuple[str, str, str], ...]
    arms: tuple[tuple[str, str], ...]
    simulated: bool
    glossary: tuple[tuple[str, str], ...]
    stages: tuple[tuple[str, str, str], ...]
    cost: str
    as_of: str
    digest: str
    counts: dict[str, int]

    @property
    def simulated_note(self) -> str:
        """What every page of a simulated project says."""
        return "Simulated data. No real person is in these numbers." if self.simulated else ""


_APOSTROPHE = re.compile(r"(?<=\w)'")
_NAMED = re.compile(r"(?<!\w)'([^']{1,80})'(?!\w)")
_INTERVAL = re.compile(r"\[([^\[\], ]{1,24}), ([^\[\], ]{1,24})\]")
NBSP = "\u00a0"
_P = re.compile(r"\bp (?:([<=>]) )?(?=\.\d)")
_RATIO = re.compile(r"(?<=\d) : (?=\d)")
_CODE = re.compile(r"`([^`]{1,80})`")
_QUOTED = re.compile(r'(?<![\w"])"([^"]{1,200})"(?![\w"])')


def _one(text: str) -> str:
    """Clean one line of our own prose; set its quotation marks right, keep its numbers whole."""
    out = _NAMED.sub("‘\\1’", _QUOTED.sub("“\\1”", _CODE.sub("‘\\1’", clean(text))))
    out = _APOSTROPHE.sub("’", out).replace(" · ", f"{NBSP}· ")
    out = _P.sub(lambda at: f"p{NBSP}" + (f"{at[1]}{NBSP}" if at[1] else ""), out)
    return _INTERVAL.sub(f"[\\1,{NBSP}\\2]", _RATIO.sub(f"{NBSP}:{NBSP}", out))


def _sentence(text: str) -> str:
    """Give a line the capital and the full stop of a sentence."""
    out = _one(text)
    if not out:
        return ""
    return out[:1].upper() + out[1:] + ("" if out[-1] in ".!?…" else ".")


def _anchor(digest: str, review: Review) -> str:
    """A query's place on the page, by its order, so that no foreign text becomes an id."""
    keys = list(review.queries)
    return f"query-{keys.index(digest) + 1}" if digest in review.queries else ""


def _finding(
    finding: Finding, review: Review, anchor: str, said: set[tuple[str, str]]
) -> FindingView:
    rests = (finding.assumes, finding.breaks)
    said_before = any(rests) and rests in said
    said.add(rests)
    grade = finding.grade
    trust = finding.trust or ""
    segment = " · ".join(f"{_one(k)}: {_one(v)}" for k, v in (finding.segment or {}).items())
    return FindingView(
        id=_one(finding.id),
        anchor=anchor,
        claim=_one(finding.claim),
        stance=finding.stance.value if finding.stance else "",
        state=words.STATES[finding.state] if finding.state else words.TRUSTS.get(trust, ""),
        harm=finding.harm,
        grade=grade.value if grade else "",
        grade_name=words.GRADE_NAMES[grade] if grade else "",
        grade_meaning=words.GRADES[grade] if grade else "",
        metric=_one(finding.metric or ""),
        segment=segment,
        number=estimate(finding.estimate) if finding.estimate else None,
        n=count(finding.n) if finding.n is not None else "",
        method=_sentence(finding.method),
        assumes=_sentence(finding.assumes),
        breaks=_sentence(finding.breaks),
        decides=_sentence(finding.decides),
        said_before=said_before,
        evidence=finding.evidence,
        query=review.queries.get(finding.query_digest or ""),
        query_anchor=_anchor(finding.query_digest or "", review),
    )


def _reading(name: str, answer: Answer, review: Review, side: int | None) -> ReadingView:
    said: set[tuple[str, str]] = set()
    findings = tuple(
        _finding(finding, review, f"{name}-{i}", said)
        for i, finding in enumerate(answer.findings, 1)
    )
    summary = _one(answer.summary) or _fallback(answer)
    repeated = any(finding.claim.rstrip(".") in summary for finding in findings)
    return ReadingView(
        name=name,
        title="KPI" if name == "kpi" else name.capitalize(),
        stance=answer.stance.value,
        stance_meaning=words.STANCES[answer.stance],
        question=_one(answer.question),
        summary=summary,
        lead="" if repeated or not findings else summary,
        findings=findings,
        missing=tuple(_one(item) for item in answer.missing),
        side=side,
    )


_CASE = "The case against"


def _case(review: Review) -> str:
    """The finding ``doubt.case`` without the words that head it on every face."""
    doubt = review.readings.get("doubt")
    said = [f.claim for f in doubt.findings if f.id == "doubt.case"] if doubt else []
    if not said:
        return ""
    body = _one(said[0]).removeprefix(_CASE).removeprefix(":").strip()
    return f"It {body}" if body.startswith("is ") else body


def _fallback(answer: Answer) -> str:
    """What to say on the one line when a reading gave none."""
    if answer.findings:
        return _one(answer.findings[0].claim)
    if answer.missing:
        return f"needs: {_one(answer.missing[0]).rstrip('.')}"
    return "nothing to go on"


def _facts(review: Review) -> tuple[str, ...]:
    as_of = review.as_of.date() if review.as_of else None
    sealed = f"sealed {day(review.sealed, beside=as_of)}" if review.sealed else "not sealed"
    users = f"{count(review.users)} users" if review.users else ""
    look = f"look {review.looks}" + (" (final)" if review.final else "")
    design = f"{words.DESIGNS[review.design]} ({review.grade.value})"
    return tuple(part for part in (sealed, look, design, users) if part)


def _plan(review: Review) -> tuple[tuple[str, str], ...]:
    sealed = day(review.sealed) if review.sealed else "No. The plan could still be changed."
    if review.witness:
        sealed += f", for which others vouch: {review.witness}"
    times = "Once" if review.looks == 1 else f"{review.looks} times"
    early = "before the end" if review.sealed else "not of a sealed plan"
    kind = "the last planned one" if review.final else f"{early}, so anytime intervals decide"
    rows = [
        ("Design", f"{words.DESIGNS[review.design].capitalize()}. {words.GRADES[review.grade]}"),
        ("Sealed", sealed),
        ("Looked at", f"{times}; this look is {kind}."),
        ("Users compared", count(review.users) if review.users else "none"),
        ("Row of the verdict table", review.rule),
        ("Data up to", day(review.as_of) if review.as_of else "unknown"),
        ("Plan's fingerprint", review.plan_digest),
    ]
    return tuple((_one(name), _one(value)) for name, value in rows)


def _texts(readings: tuple[ReadingView, ...], review: Review) -> Iterator[str]:
    yield from (*review.because, *review.next, *review.warnings, review.rule)
    yield "sealed looks KPI n = 1"
    for reading in readings:
        yield from (reading.question, reading.summary)
        for finding in reading.findings:
            yield from (
                finding.claim,
                finding.method,
                finding.assumes,
                finding.breaks,
                finding.decides,
            )
            if finding.number is not None:
                yield f"{finding.number.text} {finding.number.p}"
            if finding.number is not None and finding.number.anytime:
                yield "anytime"


def _deviation(d: Deviation) -> tuple[str, str, str]:
    """What was changed; from what to what only where the sentence does not say it already."""
    said = f"'{d.before}'" in d.what or f"'{d.after}'" in d.what
    return (_one(d.what), "", "") if said else (_one(d.what), _one(d.before), _one(d.after))


def view(review: Review) -> ReviewView:
    """Turn a review into words.

    Args:
        review: What `octad review` made.

    Returns:
        Its view; readings in the order of every face, those that were not taken left out.
    """
    taken = [name for name in READINGS if name in review.readings]
    readings = tuple(
        _reading(name, review.readings[name], review, READINGS.index(name)) for name in taken
    )
    kpi = _reading("kpi", review.kpi, review, None)
    every = (kpi, *readings)
    stances = tuple(
        (review.readings[name].stance if name in review.readings else Stance.SILENT).value
        for name in READINGS
    )
    used = {finding.grade for reading in every for finding in reading.findings}
    because = tuple(_one(sentence) for sentence in review.because)
    return ReviewView(
        octad=_one(review.octad),
        launch=_one(review.launch),
        product=_one(review.product),
        what=_one(review.what).rstrip("."),
        verdict=review.verdict.value,
        verdict_key=review.verdict.value.replace(" ", "-"),
        verdict_meaning=_one(words.VERDICTS[review.verdict]),
        rule=_one(review.rule),
        headline=because[0] if because else words.VERDICTS[review.verdict],
        reasons=because[1:],
        case=_case(review),
        next=tuple(_one(sentence) for sentence in review.next),
        facts=_facts(review),
        plan=_plan(review),
        kpi=kpi,
        kpi_metric=next((f.metric for f in kpi.findings if f.metric), ""),
        readings=readings,
        stances=stances,
        queries=tuple((_anchor(key, review), query) for key, query in review.queries.items()),
        grades=tuple(
            (grade.value, words.GRADE_NAMES[grade], words.GRADES[grade])
            for grade in Grade
            if grade.value in used
        ),
        deviations=tuple(_deviation(d) for d in review.deviations),
        warnings=tuple(_one(warning) for warning in review.warnings),
        left_out=tuple((_one(x.source), _one(x.reason), count(x.rows)) for x in review.left_out),
        arms=tuple((_one(arm), count(n)) for arm, n in review.arms.items()),
        simulated=review.simulated,
        glossary=tuple(
            (_one(term), _one(meaning)) for term, meaning in words.glossary(_texts(every, review))
        ),
        stages=stage_rows(review.cost),
        cost=cost_text(review.cost),
        as_of=day(review.as_of) if review.as_of else "",
        digest=_one(review.plan_digest)[:12],
        counts={stance.value: stances.count(stance.value) for stance in Stance},
    )
