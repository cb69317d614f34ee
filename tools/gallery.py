"""Plant six faults, review each, and write what was found: docs/gallery.md, and pages to look at.

Run as: python tools/gallery.py [FOLDER]. The six reviews go to FOLDER as HTML, with an index;
without one, only docs/gallery.md is written anew.
"""

from __future__ import annotations

import html
import sys
import tempfile
from pathlib import Path

from octad.faces.report import report
from octad.lifecycle.demo import lay_out
from octad.lifecycle.session import Session
from octad.model.finding import Finding, Stance, State
from octad.model.numbers import plain
from octad.model.review import Review
from octad.worlds.planted import FAULTS, Fault, look_days, plant

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "gallery.md"
REPEATS = ("doubt.case", "breadth.segments")
"""Findings that gather others, and claim nothing of their own."""
SPOKEN = ("results.together",)
"""Findings that say something without a stance for or against."""

HEAD = """\
# The gallery of planted faults

Six small products, each quiet but for one fault that was put in by hand; each reviewed by the
same `octad review` as any other. This page is written by `python tools/gallery.py` (with a
folder after it, the six full reviews are written there as HTML), and a test holds it: in each,
the fault is found, and nothing else is claimed.

What a review **claims** is here: harm shown, a check of the measurement that fails or warns, a
finding against the launch, a result shown to be better, a KPI that rose, or a KPI that left its
result behind. Where the measurement fails, nothing is read from the numbers, so only that
failure is claimed.

Each world is one draw of chance, with 12,000 users. A gallery shows what a finding looks like;
how *often* a fault is found, and how often a quiet launch is accused, are rates, and `make
calibrate` measures those.

"""


def reviewed(fault: Fault, folder: Path) -> Review:
    """Plant a fault, and review it as its team would: early where it looks early."""
    made = plant(fault)
    session = Session.open(lay_out(folder, made, made.truth))
    for day in look_days(fault)[:-1]:
        session.review(fault.name, as_of=day)
    last = look_days(fault)[-1:]
    return session.review(fault.name, as_of=last[0] if last else None)


def claimed(review: Review) -> list[Finding]:
    """What a review says that somebody would act on."""
    answers = [review.kpi, *review.readings.values()]
    findings = [f for a in answers for f in a.findings if not f.id.startswith(REPEATS)]
    failed = [f for f in findings if f.trust == "fails"]
    if failed:
        return failed
    own = {f.id for f in review.kpi.findings if f.stance in (Stance.FOR, Stance.AGAINST)}
    return [
        f
        for f in findings
        if f.harm
        or f.trust == "warns"
        or f.stance is Stance.AGAINST
        or f.state is State.BETTER
        or f.id in SPOKEN
        or f.id in own
    ]


def entry(fault: Fault, review: Review) -> str:
    """A fault's part of the page."""
    found = claimed(review)
    lines = [f"## {fault.title}", "", f"*{fault.what}*", ""]
    lines += [f"**Planted.** {fault.planted}", ""]
    lines += [f"**Verdict.** `{review.verdict.value}`: {review.because[0]}", ""]
    looks = next((f for f in review.readings["doubt"].findings if f.id == "doubt.looks"), None)
    if found:
        lines += ["**Claimed.**", "", *(f"- {f.claim}" for f in found), ""]
    else:
        lines += ["**Claimed.** Nothing.", ""]
    if fault.looks and looks is not None:
        lines += [f"**Looks.** {looks.claim} {_both(review)}", ""]
    return "\n".join(lines)


def _both(review: Review) -> str:
    """The KPI's fixed interval beside the anytime one."""
    e = next(f.estimate for f in review.kpi.findings if f.id.startswith("kpi.") and f.estimate)
    edges = (e.low, e.high, e.anytime_low, e.anytime_high)
    low, high, first, last = (plain(100 * (x or 0.0), 1, signed=True) for x in edges)
    return f"Opens by the fixed interval: [{low}, {high}]%; by the anytime one: [{first}, {last}]%."


def index(reviews: dict[str, Review]) -> str:
    """A page that leads to the six."""
    rows = "".join(
        f'<li><a href="{fault.name}.html">{html.escape(fault.title)}</a>: '
        f"{html.escape(fault.planted)} <b>{reviews[fault.name].verdict.value}</b></li>"
        for fault in FAULTS
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Planted faults</title>'
        "<style>body{font:18px/1.6 system-ui,sans-serif;max-width:42em;margin:3em auto;"
        "padding:0 1em}li{margin:.8em 0}</style>"
        f"<h1>Planted faults</h1><ol>{rows}</ol></html>\n"
    )


def main() -> None:
    """Write the page, and the reviews where a folder is named."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    reviews: dict[str, Review] = {}
    with tempfile.TemporaryDirectory() as folder:
        for fault in FAULTS:
            reviews[fault.name] = reviewed(fault, Path(folder) / fault.name)
            print(f"{fault.title}: {reviews[fault.name].verdict.value}")
    PAGE.write_text(
        HEAD + "\n".join(entry(fault, reviews[fault.name]) for fault in FAULTS), encoding="utf-8"
    )
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for name, review in reviews.items():
            (out / f"{name}.html").write_text(report(review), encoding="utf-8")
        (out / "index.html").write_text(index(reviews), encoding="utf-8")


if __name__ == "__main__":
    main()
