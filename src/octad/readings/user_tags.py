"""What readers saw in timelines, before they knew whose they were."""

from __future__ import annotations

from collections import Counter

import numpy as np
from scipy import special

from octad.model.finding import Bars, Finding, Grade
from octad.model.inputs import Inputs
from octad.model.numbers import p_value, plain
from octad.stats.agreement import Agreement, krippendorff_alpha
from octad.stats.refusal import NotEstimable

__all__ = ["tagged"]

_SURE = 0.05


def tagged(inputs: Inputs) -> Finding | None:
    """Tags by arm, and how far readers agree; None where no timeline was read."""
    read = [(u, r, t) for u, r, t in inputs.history.tags if u in inputs.named]
    if not read or len(inputs.arms) < 2:
        return None
    users = sorted({u for u, _, _ in read})
    readers = sorted({r for _, r, _ in read})
    names = [t for t, _ in Counter(t for _, _, tags in read for t in tags).most_common(8)]
    saw = {t: {u for u, _, tags in read if t in tags} for t in names}
    control = inputs.arms[0]
    with_it = [u for u in users if inputs.named[u].arm != control]
    without = [u for u in users if inputs.named[u].arm == control]
    claim = (
        f"{_people(readers)} read {len(users)} timelines before the numbers, without knowing the "
        f"arm: {len(with_it)} with the launch, {len(without)} without."
    )
    claim += _parting(saw, with_it, without) if with_it and without else ""
    claim += _agreement(read, users, readers, names)
    return Finding(
        id="user.tags",
        claim=claim,
        grade=Grade.T,
        n=len(users),
        method="timelines chosen in turn from each arm, arms hidden until tagging was done; a user "
        "counts for a tag when any reader gave it; Fisher's exact test, widened for the number of "
        "tags (Bonferroni); Krippendorff's alpha over readers and tags",
        assumes="A few timelines show what can happen, not how often.",
        breaks="Readers who guess the arm from what is on the page, as they can where the launch "
        "adds events of its own.",
        evidence=(_bars(saw, names, with_it, without),) if names else (),
    )


def _people(readers: list[str]) -> str:
    if len(readers) > 3:
        return f"{len(readers)} readers"
    return " and ".join([", ".join(readers[:-1]), readers[-1]] if readers[1:] else readers)


def _parting(saw: dict[str, set[str]], with_it: list[str], without: list[str]) -> str:
    """The tag on which the arms part most, when it is more than chance would do."""
    worst: tuple[float, str, int, int] | None = None
    for tag, users in saw.items():
        a, b = len(users & set(with_it)), len(users & set(without))
        p = _fisher(a, len(with_it), b, len(without))
        if worst is None or p < worst[0]:
            worst = p, tag, a, b
    if worst is None:
        return " Nobody was tagged with anything."
    p, tag, a, b = worst
    corrected = min(1.0, p * len(saw))
    said = f" “{tag}”: {a} of {len(with_it)} with it, {b} of {len(without)} without"
    if corrected < _SURE:
        return f"{said} ({p_value(corrected)})."
    return f"{said}, which so few timelines cannot tell from chance."


def _fisher(a: int, of_a: int, b: int, of_b: int) -> float:
    """Fisher's exact test of two shares, two-sided: tables no likelier than the one seen."""
    hits = a + b
    k = np.arange(max(0, hits - of_b), min(hits, of_a) + 1)
    ways = special.comb(of_a, k) * special.comb(of_b, hits - k)
    chance = ways / special.comb(of_a + of_b, hits)
    return float(min(1.0, chance[chance <= chance[k == a] * (1 + 1e-7)].sum()))


def _agreement(
    read: list[tuple[str, str, tuple[str, ...]]],
    users: list[str],
    readers: list[str],
    names: list[str],
) -> str:
    if len(readers) < 2 or not names:
        return ""
    said = {(u, r): set(tags) for u, r, tags in read}
    table = np.full((len(users) * len(names), len(readers)), np.nan)
    for i, reader in enumerate(readers):
        for j, user in enumerate(users):
            if (user, reader) in said:
                marks = [float(t in said[user, reader]) for t in names]
                table[j * len(names) : (j + 1) * len(names), i] = marks
    try:
        found: Agreement = krippendorff_alpha(table)
    except NotEstimable:
        return ""
    word = "well" if found.value >= 0.8 else "somewhat" if found.value >= 0.5 else "little"
    return (
        f" The readers agree {word} (alpha {plain(found.value, 2)}; 1 is always, 0 as by chance)."
    )


def _bars(
    saw: dict[str, set[str]], names: list[str], with_it: list[str], without: list[str]
) -> Bars:
    def shares(arm: list[str]) -> tuple[float | None, ...]:
        return tuple(len(saw[t] & set(arm)) / len(arm) if arm else None for t in names)

    return Bars(
        title="What readers saw",
        y_label="share of timelines",
        labels=tuple(names),
        groups={"without the launch": shares(without), "with it": shares(with_it)},
        percent=True,
    )
