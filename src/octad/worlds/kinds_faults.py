"""Kinds whose fault lies in the measurement, in the time of the launch, or between its users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from octad.worlds.change import Change, Rollout
from octad.worlds.faults import Faults
from octad.worlds.kind import Kind
from octad.worlds.kinds_life import GUARDS
from octad.worlds.launches import ROLLOUT, STRENGTHS, Aims, Launched
from octad.worlds.plans import write_plan

__all__ = ["KINDS"]

_OPENS = Aims("opens", {"payments": 0.03, "retained": 0.02}, GUARDS)
_PAYS = Aims("payments", {"spend": 0.04, "retained": 0.02}, GUARDS)
_STAGED = (
    "{staged: region, dates: {north: 2026-03-01, south: 2026-03-08, east: 2026-03-15, "
    "west: 2026-03-22}}"
)
_WAVES = (0, 7, 14, 21)
_ALWAYS = Rollout(closes=39)
_PULLS = Change(lure=0.03, lure_days=60.0, lure_stays=0.8)


@dataclass(frozen=True, slots=True)
class _Recipe:
    """What a kind launches, and what is wrong around it.

    Attributes:
        name, title, about: As `Kind` has them.
        what: What is launched, in a sentence.
        notes: Release notes of its version.
        faults: Strength to what is wrong.
        why: The reasons, in sentences.
        aims: Its plan.
        changes: Strength to what changes for those who have it; one not named changes nothing.
        design: The plan's design, as its file writes it.
        rollout: Who gets it when.
        controls: Metrics that it cannot move.
    """

    name: str
    title: str
    about: str
    what: str
    notes: str
    faults: Mapping[str, Faults]
    why: tuple[str, ...]
    aims: Aims = _OPENS
    changes: Mapping[str, Change] | None = None
    design: str = "experiment"
    rollout: Rollout = ROLLOUT
    controls: tuple[str, ...] = ()

    def at(self, strength: str) -> Launched:
        """The launch at a strength."""
        chance = self.design == "experiment"
        to = "half its users, chosen by chance," if chance else "its users"
        plan = write_plan(
            self.name,
            self.what,
            self.aims,
            expects=((self.aims.kpi, "at least 2%", 60),),
            design=self.design,
            enrol_until="2026-03-10" if chance else "2026-04-07",
            controls=self.controls,
        )
        return Launched(
            world=self.name,
            launch=self.name,
            change=(self.changes or {}).get(strength, Change()),
            notes=(self.notes, "Small repairs."),
            plan=plan,
            aims=self.aims,
            about=(f"On 1 March 2026 its team gave {to}\n{self.what[:1].lower()}{self.what[1:]}"),
            why=self.why,
            kind=self.name,
            strength=strength,
            design=self.name_of_design,
            rollout=self.rollout,
            faults=self.faults[strength],
        )

    @property
    def name_of_design(self) -> str:
        """One word for the design."""
        return next((word for word in ("staged", "everyone") if word in self.design), self.design)

    def kind(self) -> Kind:
        """As it is listed."""
        strengths = tuple(s for s in STRENGTHS if s in self.faults)
        designs = (self.name_of_design,)
        return Kind(self.name, self.title, self.about, strengths, designs, self.at)


def _each(*faults: Faults) -> dict[str, Faults]:
    return dict(zip(STRENGTHS, faults, strict=True))


def _changes(*values: Change) -> dict[str, Change]:
    return dict(zip(STRENGTHS, values, strict=True))


def _season(depth: float) -> tuple[float, ...]:
    """A swing that begins about the launch's day and stays: summer, a holiday, a strike."""
    day = np.arange(40)
    return tuple(float(x) for x in 1 + depth / (1 + np.exp(-(day - 3) / 2.0)))


_RECIPES = (
    _Recipe(
        name="broken_assignment",
        title="A broken assignment",
        about=(
            "A slow redirect loses some of those who were meant to get it, those who come seldom, "
            "before anybody has written down that they got it."
        ),
        what="A start page of its own, reached by a redirect.",
        notes="A new start page.",
        faults=_each(*(Faults(unrecorded=v) for v in (0.003, 0.02, 0.07, 0.2))),
        why=("Those who were lost are not counted, and they are not like the others.",),
    ),
    _Recipe(
        name="dropped_logging",
        title="Logging dropped in one arm",
        about=(
            "Two weeks after the launch its version begins to send events in batches, and loses "
            "some of them: people live on as before, and the log says they do less."
        ),
        what="Events that are sent in batches.",
        notes="Saves your battery.",
        faults=_each(
            *(Faults(unlogged=v, unlogged_days=(16, 39)) for v in (0.005, 0.03, 0.15, 0.4))
        ),
        why=("Nothing happened to anybody: some of what they did was never written down.",),
        controls=("transfers",),
    ),
    _Recipe(
        name="lost_from_start",
        title="Logging that loses events from the first day",
        about=(
            "The launch's version loses some of its events from the first day on, one here and one "
            "there: what looks like its effect is only its log."
        ),
        what="Events that are sent over a new line.",
        notes="A faster connection.",
        faults=_each(
            *(Faults(unlogged=v, unlogged_days=(0, 39)) for v in (0.005, 0.03, 0.15, 0.4))
        ),
        why=("Nothing happened to anybody: some of what they did was never written down.",),
    ),
    _Recipe(
        name="collector_down",
        title="A collector that is down for some hours",
        about=(
            "Those who have the launch report to a collector of their own; on some day it is down "
            "for hours, and what they do then is never written down."
        ),
        what="A collector of events of its own.",
        notes="Small repairs.",
        faults=_each(
            Faults(unlogged=0.3, unlogged_days=(15, 16), unlogged_hours=(9, 12)),
            Faults(unlogged=0.7, unlogged_days=(15, 16), unlogged_hours=(9, 17)),
            Faults(unlogged=0.95, unlogged_days=(15, 16), unlogged_hours=(8, 20)),
            Faults(unlogged=1.0, unlogged_days=(15, 17)),
        ),
        why=("Nothing happened to anybody: for some hours nobody wrote down what they did.",),
    ),
    _Recipe(
        name="old_batches",
        title="Batches that old devices lose",
        about=(
            "The launch's version sends events in batches, and old devices run out of memory for "
            "them: those who have one seem to do less, and live on as before."
        ),
        what="Events that are sent in batches.",
        notes="Saves your battery.",
        faults=_each(
            *(
                Faults(unlogged=v, unlogged_days=(0, 39), unlogged_devices=(2,))
                for v in (0.01, 0.08, 0.25, 0.6)
            )
        ),
        why=("Nobody with an old device was harmed: it lost what they did.",),
    ),
    _Recipe(
        name="rival_launch",
        title="A rival launches on the same day",
        about=(
            "A rival's offer draws needs away from everyone, with the launch and without; the "
            "launch itself helps."
        ),
        what="A pay button on the lock screen.",
        notes="New: pay from the lock screen, without unlocking.",
        faults=_each(*(Faults(rival_day=0, rival_size=v) for v in (-0.01, -0.05, -0.12, -0.25))),
        changes=_changes(*(Change(handy=0.95),) * 4),
        aims=_PAYS,
        why=("Both arms lose to the rival; the difference between them is the launch.",),
    ),
    _Recipe(
        name="season",
        title="A seasonal shift, with everyone launched",
        about="Everyone got it on the day on which the season turned; it does nothing itself.",
        what="Rounder corners on every button, for everyone.",
        notes="Rounder buttons.",
        faults=_each(*(Faults(everyone=True, season=_season(v)) for v in (0.005, 0.03, 0.1, -0.2))),
        design="{everyone: 2026-03-01}",
        rollout=_ALWAYS,
        why=("The season would have done the same without it.",),
    ),
    _Recipe(
        name="staged_effect",
        title="A staged rollout that helps",
        about="Region after region gets it, by the calendar; people pay more with it.",
        what="A pay button on the lock screen, region by region.",
        notes="New: pay from the lock screen, without unlocking.",
        faults=_each(*(Faults(waves=_WAVES),) * 4),
        changes=_changes(*(Change(handy=v) for v in (0.02, 0.2, 0.6, 0.95))),
        aims=_PAYS,
        design=_STAGED,
        rollout=_ALWAYS,
        why=("It helps, but nobody was left without it to compare with.",),
    ),
    _Recipe(
        name="staged_nothing",
        title="A staged rollout of nothing",
        about="Region after region gets it, by the calendar; it does nothing.",
        what="Rounder corners on every button, region by region.",
        notes="Rounder buttons.",
        faults={"plain": Faults(waves=_WAVES, season=_season(-0.08))},
        design=_STAGED,
        rollout=_ALWAYS,
        why=("It does nothing; the season does.",),
    ),
    _Recipe(
        name="bought_praise",
        title="Praise that was bought",
        about=(
            "Somebody buys five-star reviews in the launch's first weeks; the launch itself does "
            "nothing."
        ),
        what="Rounder corners on every button.",
        notes="Rounder buttons.",
        faults=_each(*(Faults(praise=v, praise_days=(1, 10)) for v in (2.0, 10.0, 40.0, 150.0))),
        why=("The stars that rose were paid for.",),
    ),
    _Recipe(
        name="friends",
        title="Interference between friends",
        about=(
            "Invitations from those who have it annoy their friends who do not: both arms lose, "
            "and a comparison of them sees only that opens rose."
        ),
        what="Invitations to friends.",
        notes="Invite your friends and earn points.",
        faults=_each(*(Faults(friends=v) for v in (-0.01, -0.04, -0.1, -0.2))),
        changes=_changes(*(_PULLS,) * 4),
        why=("What it costs is paid by friends, in both arms.",),
    ),
)
KINDS: tuple[Kind, ...] = tuple(recipe.kind() for recipe in _RECIPES)
