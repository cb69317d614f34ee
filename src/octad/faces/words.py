"""The plain words that every face uses: what a grade, a stance, a verdict or a term means."""

from __future__ import annotations

import re
from collections.abc import Iterable

from octad.model.finding import Grade, Stance, State
from octad.model.review import Verdict

__all__ = [
    "DESIGNS",
    "GRADES",
    "STANCES",
    "STATES",
    "TRUSTS",
    "VERDICTS",
    "glossary",
]

VERDICTS = {
    Verdict.SHIP: "The data show it did good, and show it did no harm beyond what you allowed.",
    Verdict.HOLD: "The data show neither enough good nor enough harm. See what would decide it.",
    Verdict.ROLL_BACK: "The data show harm that is the launch's own doing.",
    Verdict.CANNOT_TELL: "The data cannot carry a verdict yet. Mend what is named; look again.",
}

GRADES = {
    Grade.A: "Chance decided who got the launch, so the difference is its doing.",
    Grade.B: "Chance did not decide who got it, but every check with a placebo passed.",
    Grade.C: "Before against after, or people who differed anyway: a hint, not a proof.",
    Grade.T: "Words and counts: what people said or did, not what the launch caused.",
}

GRADE_NAMES = {
    Grade.A: "randomised",
    Grade.B: "quasi-experiment",
    Grade.C: "observed",
    Grade.T: "text and counts",
}

STANCES = {
    Stance.FOR: "speaks for the launch",
    Stance.AGAINST: "speaks against the launch",
    Stance.MIXED: "speaks both ways",
    Stance.SILENT: "has nothing to go on",
}

STATES = {
    State.BETTER: "better",
    State.WITHIN: "within its margin",
    State.WORSE: "worse",
    State.UNCLEAR: "unclear",
}

TRUSTS = {
    "holds": "a check that holds",
    "warns": "a check that warns",
    "fails": "a check that fails",
}

DESIGNS = {
    "experiment": "randomised",
    "staged": "staged release",
    "everyone": "released to everyone",
    "targeted": "given to chosen users",
}

# Term, the pattern that finds it in a review's words, and its meaning.
_TERMS: tuple[tuple[str, str, str], ...] = (
    (
        "Anytime interval",
        r"anytime",
        (
            "An interval that stays honest however often you look. It is wider than one made for a "
            "single look."
        ),
    ),
    (
        "Bits",
        r"\bbits?\b",
        "How far two mixes lie apart: 0 when they are the same, 1 when they share nothing.",
    ),
    (
        "Brier score",
        r"brier",
        "How far forecasts lay from what happened: 0 is perfect, always saying 50% scores 0.25.",
    ),
    (
        "Calibration",
        r"calibrat",
        "Whether things called 80% sure come true about eight times in ten.",
    ),
    (
        "Charter",
        r"charter",
        "The page in which the team wrote what the product is for and what it must never do.",
    ),
    (
        "Chi-square test",
        r"chi-?squared?",
        "Asks whether counts lie further from the plan than chance would put them.",
    ),
    (
        "Confounding",
        r"confound",
        "Something besides the launch that moves the number and differs between the groups.",
    ),
    (
        "Control",
        r"\bcontrol\b",
        "The people who did not get the launch. They show what would have happened anyway.",
    ),
    (
        "Core job",
        r"core job|\bjobs?\b",
        "What people came to the product to get done, as its charter says.",
    ),
    (
        "CUPED",
        r"\bCUPED\b",
        "Using what each person did before the launch to take noise out of the comparison.",
    ),
    (
        "Delta method",
        r"delta method",
        "The standard way to find the uncertainty of one average divided by another.",
    ),
    (
        "Deviation",
        r"deviat",
        "Something done otherwise than the sealed plan says. Not a sin, but you should know.",
    ),
    (
        "Difference in differences",
        r"difference in differences",
        "Our own change, less the change of those whom the launch did not reach.",
    ),
    (
        "False discovery rate",
        r"false discovery",
        "Of all that is called changed, the share that chance alone may have put there.",
    ),
    (
        "Familywise error",
        r"familywise|max-?T|Holm|Bonferroni",
        "The chance of even one false alarm among many comparisons made together.",
    ),
    (
        "Guardrail",
        r"guardrail",
        "A number the launch must not make worse by more than its margin.",
    ),
    (
        "Interval",
        r"\[[^\]]*, [^\]]*\]|interval",
        (
            "The range the true effect plausibly lies in. A 95% interval, made this way each time, "
            "holds the truth in 95 of 100 launches."
        ),
    ),
    (
        "KPI",
        r"\bKPI\b",
        "The number the team is measured by. It opens the page, and never decides it.",
    ),
    (
        "Keyed hash",
        r"\bhash",
        "A stand-in for a name. The same person always has the same one, and nobody can be named.",
    ),
    ("Look", r"\blooks?\b", "One opening of the numbers. Each look is written down."),
    (
        "Margin",
        r"margin",
        "The loss the team said, beforehand, it could still accept.",
    ),
    (
        "Negative control",
        r"negative control",
        (
            "A number the launch cannot have moved. If it moves, something is wrong with the "
            "comparison."
        ),
    ),
    (
        "Novelty",
        r"novelty|halves every",
        "A gain that comes from newness and wears off.",
    ),
    ("n", r"\bn = ", "How many users, or reviews, a number rests on."),
    ("Odds", r"\bodds|log-odds", "How often a thing happens, against how often it does not."),
    ("p", r"\bp [<=.]", "How often chance alone would give a difference at least this large."),
    (
        "Placebo",
        r"placebo",
        "The same analysis where there was no launch. It should find nothing.",
    ),
    ("Points", r"\bpoints\b", "Percentage points: from 44% to 43% is one point down."),
    (
        "Pre-period",
        r"pre-?period",
        "The time before the launch. The groups should not differ there.",
    ),
    (
        "Retention",
        r"retain|retention",
        "The share of people who come back in a given span after they first met the launch.",
    ),
    (
        "Sample ratio",
        r"sample ratio",
        (
            "Whether the groups have the sizes the plan gave them. If not, people went "
            "missing, and no other number can be trusted."
        ),
    ),
    ("Sealed", r"\bseal", "The plan was frozen, with a fingerprint, before the numbers were seen."),
    (
        "Segment",
        r"segment",
        "A part of the users, named by what was known of them before the launch.",
    ),
    (
        "Specification",
        r"specification",
        "One defensible way of doing the analysis. A finding that lives in only a few is fragile.",
    ),
    (
        "Surrogate",
        r"surrogate",
        "An early number that has foretold a late one before, used here to look ahead.",
    ),
    (
        "Unseen mass",
        r"unseen mass",
        "How much was never seen at all, judged by how much was seen only once.",
    ),
    (
        "Welch's error",
        r"welch",
        "An uncertainty that does not take for granted that both groups vary alike.",
    ),
    (
        "Winner's curse",
        r"winner.s curse",
        "Launches picked because they looked good look better than they are.",
    ),
    (
        "Winsorised",
        r"winsor",
        "The few largest values were capped, so that one account cannot make the result.",
    ),
)


def glossary(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Explain the terms that a review really uses, in alphabetical order.

    >>> [term for term, _ in glossary(["the sample ratio holds", "p .02"])]
    ['p', 'Sample ratio']
    """
    whole = "\n".join(texts)
    found = [(term, meaning) for term, at, meaning in _TERMS if re.search(at, whole, re.I)]
    return tuple(sorted(found, key=lambda pair: pair[0].lower()))
