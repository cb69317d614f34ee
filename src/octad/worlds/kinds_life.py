"""Kinds in which the launch changes how people live with the product.

Each is a mechanism of `Change`; what it does to any metric is read off, never written down. A
strength says how well some 40,000 users can show what matters: from `invisible`, where they
cannot, to `plain`, where nobody could miss it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from octad.worlds.change import Change
from octad.worlds.kind import Kind
from octad.worlds.launches import STRENGTHS, Aims, Launched
from octad.worlds.plans import write_plan

__all__ = ["GUARDS", "KINDS"]

GUARDS = {"crash_rate": 0.12, "pay_success": 0.005}
"""Guardrails that some 40,000 users can show to hold."""
_KEEP = {"retained": 0.02}


@dataclass(frozen=True, slots=True)
class _Recipe:
    """What a kind launches.

    Attributes:
        name, title, about: As `Kind` has them.
        what: What is launched, in a sentence.
        notes: Release notes of its version.
        aims: Its plan.
        expects: What its team expects.
        changes: Strength to what changes.
        why: The reasons, in sentences.
        jobs: The charter's jobs that it serves.
        harmed: The segment that is hurt, if one is.
    """

    name: str
    title: str
    about: str
    what: str
    notes: str
    aims: Aims
    expects: tuple[tuple[str, str, int], ...]
    changes: Mapping[str, Change]
    why: tuple[str, ...]
    jobs: tuple[str, ...] = ()
    harmed: tuple[tuple[str, str], ...] = ()

    def at(self, strength: str) -> Launched:
        """The launch at a strength."""
        return Launched(
            world=self.name,
            launch=self.name,
            change=self.changes[strength],
            notes=(self.notes, "Small repairs."),
            plan=write_plan(self.name, self.what, self.aims, expects=self.expects, jobs=self.jobs),
            aims=self.aims,
            about=(
                "On 1 March 2026 its team gave half its users, chosen by chance,\n"
                f"{self.what[:1].lower()}{self.what[1:]}"
            ),
            why=self.why,
            harmed=dict(self.harmed),
            kind=self.name,
            strength=strength,
        )

    def kind(self) -> Kind:
        """As it is listed."""
        strengths = tuple(s for s in STRENGTHS if s in self.changes)
        return Kind(self.name, self.title, self.about, strengths, ("experiment",), self.at)


def _each(make: Callable[[float], Change], *values: float) -> dict[str, Change]:
    return {s: make(v) for s, v in zip(STRENGTHS, values, strict=True)}


_RECIPES = (
    _Recipe(
        name="true_win",
        title="A true win",
        about="People pay with the product where they used to pay in cash, and go on doing so.",
        what="A pay button on the lock screen.",
        notes="New: pay from the lock screen, without unlocking.",
        aims=Aims("payments", {"spend": 0.04, **_KEEP}, GUARDS),
        expects=(("payments", "at least 4%", 60),),
        changes=_each(lambda v: Change(handy=v), 0.02, 0.2, 0.6, 0.95),
        why=("Payments that were made in cash are made with the product, for good.",),
        jobs=("pay",),
    ),
    _Recipe(
        name="neutral",
        title="Nothing at all",
        about="The launch changes nothing that matters to anybody: whatever is seen is chance.",
        what="Rounder corners on every button.",
        notes="Rounder buttons.",
        aims=Aims("opens", {"payments": 0.03, **_KEEP}, GUARDS),
        expects=(("opens", "at least 2%", 60),),
        changes={"plain": Change()},
        why=("It does nothing at all.",),
    ),
    _Recipe(
        name="hollow_win",
        title="A hollow win",
        about=(
            "Notes call people back, so opens rise at once; being called back for nothing makes "
            "them sore, and over months they leave."
        ),
        what="Notes that call people back to the app.",
        notes="Never miss a thing: notes about your money.",
        aims=Aims("opens", {"payments": 0.03, **_KEEP}, GUARDS),
        expects=(("opens", "at least 5%", 80), ("payments", "no worse than -1%", 80)),
        changes=_each(
            lambda v: Change(lure=0.03, lure_days=60.0, lure_stays=0.7, nag=v),
            0.18,
            0.3,
            0.65,
            1.0,
        ),
        why=("Opens rise with every note.", "Each note makes sore, and the sore leave."),
    ),
    _Recipe(
        name="novelty",
        title="A novelty",
        about="People come to look, for a week or two; then the number is where it was.",
        what="A new animation of the balance.",
        notes="Your balance has never looked like this.",
        aims=Aims("opens", {"payments": 0.03, **_KEEP}, GUARDS),
        expects=(("opens", "at least 5%", 80),),
        changes=_each(lambda v: Change(lure=v, lure_days=5.0), 0.005, 0.02, 0.05, 0.12),
        why=("Opens rise with curiosity, which is gone within weeks.",),
    ),
    _Recipe(
        name="slow_win",
        title="A slow win",
        about=(
            "Everything has moved, so at first people do without; once they know the new ways, "
            "they pay with it more than before."
        ),
        what="A new order of everything, with paying first.",
        notes="A new home page: paying comes first.",
        aims=Aims("opens", {"payments": 0.03, **_KEEP}, GUARDS),
        expects=(("opens", "no worse than -3%", 60), ("payments", "at least 3%", 60)),
        changes=_each(
            lambda v: Change(handy=v, strange=0.05 + 0.26 * v, strange_days=4.0),
            0.2,
            0.4,
            0.7,
            0.98,
        ),
        why=("Opens fall while habits are relearned.", "Payments rise, and stay up."),
        jobs=("pay",),
    ),
    _Recipe(
        name="segment_harmed",
        title="One segment harmed",
        about="A heavier home page costs nothing on good phones, and is torture on old ones.",
        what="A livelier home page, with a quicker way to pay.",
        notes="A livelier home page.",
        aims=Aims("payments", {"spend": 0.04}, GUARDS),
        expects=(("payments", "at least 3%", 70),),
        changes=_each(lambda v: Change(handy=0.95, slow=(0.0, 0.0, v)), 5.0, 9.0, 17.0, 24.0),
        why=("It helps most people.", "On old phones it is so slow that people give up."),
        jobs=("pay",),
        harmed=(("device_class", "old"),),
    ),
    _Recipe(
        name="heavy_bug",
        title="A bug for those who use it most",
        about=(
            "The new page stays blank on long histories: never for most people, again and again "
            "for those who use it most."
        ),
        what="A feed of one's own payments on the home page.",
        notes="New: your payments, in one feed.",
        aims=Aims("opens", {"payments": 0.03, **_KEEP}, GUARDS),
        expects=(("opens", "at least 3%", 70),),
        changes=_each(
            lambda v: Change(lure=0.02, lure_days=60.0, lure_stays=0.8, tangle=v),
            0.001,
            0.005,
            0.02,
            0.08,
        ),
        why=("Most people open it a little more.", "For the heaviest users it stays blank."),
    ),
    _Recipe(
        name="gamed",
        title="Gamed by a few",
        about="A reward for sending money is farmed by a few accounts; nobody else sends more.",
        what="A reward for every transfer.",
        notes="Send money, earn points.",
        aims=Aims("transfers", {"payments": 0.03, **_KEEP}, GUARDS),
        expects=(("transfers", "at least 5%", 70),),
        changes=_each(lambda v: Change(farms=0.0015, farmed=v), 0.1, 0.6, 2.5, 8.0),
        why=("A few accounts send money to and fro by script.", "Nobody else sends more."),
        jobs=("transfer",),
    ),
    _Recipe(
        name="cannibal",
        title="A core job displaced",
        about=(
            "A list of who owes whom draws people in; but what is noted there is not sent, and "
            "sending money is what they had come for."
        ),
        what="A list of who owes whom.",
        notes="New: note down who owes whom.",
        aims=Aims("opens", {"payments": 0.03, **_KEEP}, GUARDS),
        expects=(("opens", "at least 3%", 70),),
        changes=_each(
            lambda v: Change(lure=0.03, lure_days=60.0, lure_stays=0.8, instead=v),
            0.03,
            0.045,
            0.12,
            0.4,
        ),
        why=("Opens rise.", "Money that used to be sent is only noted down."),
        jobs=("social",),
    ),
)
KINDS: tuple[Kind, ...] = tuple(recipe.kind() for recipe in _RECIPES)
