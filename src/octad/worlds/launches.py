"""The launches that the wallet's world can live through.

A new kind of launch is one more `Launched` here: what it changes, and its plan. What is right to
say of it follows from its truth, which is read off, and from what it is meant to show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from octad.worlds import wallet_files
from octad.worlds.change import FEED, Change, Rollout
from octad.worlds.faults import Faults

__all__ = ["LAUNCHES", "ROLLOUT", "STRENGTHS", "Aims", "Launched"]

STRENGTHS = ("invisible", "faint", "clear", "plain")
"""How strong a kind's effect can be, weakest first."""

ROLLOUT = Rollout(reach=(0.2, 0.6, 1.0), closes=10)
"""Over three days; enrolment closes after ten."""


@dataclass(frozen=True, slots=True)
class Aims:
    """What a launch's plan says it is for, as its truth is judged by it.

    Attributes:
        kpi: The metric it is meant to lift.
        results: Result to the relative loss that the plan tolerates.
        guardrails: Guardrail to the relative worsening that the plan tolerates.
        segments: The attributes by which it looks for people who are harmed.
    """

    kpi: str
    results: Mapping[str, float]
    guardrails: Mapping[str, float]
    segments: tuple[str, ...] = ("region", "age_band", "device_class", "tenure")


@dataclass(frozen=True, slots=True)
class Launched:
    """A launch and what is known of it.

    Attributes:
        world: The name of the world in which it happens.
        launch: Its name, which is also its file's stem.
        change: What it changes.
        notes: Release notes of the version that brings it, and of the one that mends it.
        plan: The text of its plan.
        aims: What that plan says, as its truth is judged by it.
        about: What was launched, for the README.
        verdict: What a review with enough data should say; empty where its truth decides.
        why: The reasons, in sentences.
        harmed: The segment that is hurt most, if one is.
        line_crossed: The charter's line that it crosses, if it does.
        kind: The name of its kind; empty where that is the world's.
        strength: One of `STRENGTHS`.
        design: The plan's design.
        rollout: Who gets it when.
        faults: What is wrong with its measurement, or comes over everyone.
        core: Core job to the metric that counts its use.
    """

    world: str
    launch: str
    change: Change
    notes: tuple[str, str]
    plan: str
    aims: Aims
    about: str
    verdict: str = ""
    why: tuple[str, ...] = ()
    harmed: Mapping[str, str] = field(default_factory=dict)
    line_crossed: str | None = None
    kind: str = ""
    strength: str = "plain"
    design: str = "experiment"
    rollout: Rollout = ROLLOUT
    faults: Faults = field(default_factory=Faults)
    core: Mapping[str, str] = field(
        default_factory=lambda: {"pay": "payments", "transfer": "transfers"}
    )


_ALL = (
    Launched(
        world="wallet",
        launch="circles",
        change=FEED,
        notes=(
            "New: Circles. See what your friends are up to, right on your home page.",
            "Small repairs in Circles.",
        ),
        plan=wallet_files.CIRCLES,
        aims=Aims(
            "opens",
            {"payments": 0.01, "retained": 0.005},
            {"crash_rate": 0.02, "pay_success": 0.005},
        ),
        about=(
            "On 1 March 2026 its team put *Circles*, a feed of what friends do, on\n"
            "the home page of half its users, chosen by chance. The team is paid for opens."
        ),
        verdict="roll back",
        why=(
            "Opens rise by novelty, which fades within weeks.",
            "Payments sink: the feed is in the way, and shame makes people leave.",
            "Fewer people come back in week four.",
            "People of 60 and over in the north, on old phones and slow lines, are hurt most.",
        ),
        harmed={"region": "north", "age_band": "60 and over"},
        line_crossed="family",
    ),
    Launched(
        world="quickpay",
        launch="quickpay",
        change=Change(handy=0.35),
        notes=("New: pay from the lock screen, without unlocking.", "Small repairs."),
        plan=wallet_files.QUICKPAY,
        aims=Aims(
            "payments",
            {"spend": 0.01, "retained": 0.01},
            {"crash_rate": 0.05, "pay_success": 0.005},
        ),
        about=(
            "On 1 March 2026 half its users, chosen by chance, could pay from the\n"
            "lock screen. The team is paid for payments."
        ),
        verdict="ship",
        why=(
            "People pay with it where they would have paid in cash, and go on doing so.",
            "Nothing else changes.",
        ),
    ),
    Launched(
        world="icon",
        launch="icon",
        change=Change(),
        notes=("A new icon.", "Small repairs."),
        plan=wallet_files.ICON,
        aims=Aims(
            "opens",
            {"payments": 0.02, "retained": 0.01},
            {"crash_rate": 0.05, "pay_success": 0.005},
        ),
        about=(
            "On 1 March 2026 half its users, chosen by chance, got a new icon.\n"
            "The team is paid for opens."
        ),
        verdict="hold",
        why=("It does nothing at all: whatever a review sees is chance.",),
    ),
)
LAUNCHES = {launched.world: launched for launched in _ALL}
"""World to launch."""
