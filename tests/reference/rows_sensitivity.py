"""Hidden confounding and negative controls: the papers' own numbers."""

from __future__ import annotations

from octad.stats.sensitivity import (
    NegativeControls,
    adjusted_for_confounder,
    calibrate,
    e_value,
    negative_controls,
    robustness,
)
from octad.stats.specification import specification_curve
from tests.reference.row import Row, exact, row

__all__ = ["choices", "confounding", "controls"]


def confounding() -> list[Row]:
    """E-value, and Darfur: estimate .0973158, error .0232565, 783 degrees of freedom."""
    ding = "VanderWeele & Ding (2017): 3.9 (1.8 to 8.7)"
    darfur = "Cinelli & Hazlett (2020), sensemakr, Darfur"
    e, rv = e_value(3.9, 1.8, 8.7), robustness(0.0973158193, 0.0232565378, 783)
    rounded = robustness(0.09732, 0.02326, 783)
    left = adjusted_for_confounder(
        0.0973158193, 0.0232565378, 783, with_treatment=0.009164287, with_outcome=0.1246409
    )
    return [
        row("E-value", e.point, 7.26, tolerance=5e-3, source=ding),
        row("E-value of the limit", e.limit or 0.0, 3.0, tolerance=5e-3, source=ding),
        row("robustness value", rv.robustness, 0.13878, tolerance=5.1e-6, source=darfur),
        # From the printed, rounded estimate and error: their rounding moves the fifth digit.
        row("robustness value, printed inputs", rounded.robustness, 0.13878, tolerance=3e-5,
            source=darfur),
        row("robustness of the interval", rv.robustness_significant, 0.07626, tolerance=5.1e-6,
            source=darfur),
        row("partial R²", rv.partial_r2, 0.02187, tolerance=5.1e-6, source=darfur),
        row("adjusted for 1 × female", left.value, 0.07522, tolerance=5.1e-6, source=darfur),
        row("adjusted for 1 × female, error", left.se, 0.02187, tolerance=5.1e-6, source=darfur),
    ]  # fmt: skip


def controls() -> list[Row]:
    """Fit and calibrated p."""
    source = "OHDSI EmpiricalCalibration, tests/testthat"
    nothing = NegativeControls(0.0, 0.0, 0.0, 2, 1.0, 1.0)
    fit = negative_controls([1, 2], [0, 0])
    return [
        # Their σ is a tiny number instead of 0; their own tests allow 1e-3 and 1.5e-8.
        row("negative controls, mean", fit.mean, 1.5, tolerance=1e-9, source=source),
        row("calibrated p, .1 (.05)", calibrate(0.1, 0.05, nothing).p, 0.045500266,
            tolerance=1.5e-8, source=source),
        row("calibrated p, .3 (.1)", calibrate(0.3, 0.1, nothing).p, 0.002699796,
            tolerance=1.5e-8, source=source),
    ]  # fmt: skip


def choices() -> list[Row]:
    """A curve must span the experiment and the naive comparison, and flag that they disagree."""
    found = specification_curve([1794.34, -8497.52], [632.85, 712.02])
    source = "LaLonde (1986), Dehejia & Wahba sample: experiment, and naive CPS comparison"
    return [
        exact("specification curve, highest", found.highest, 1794.34, source=source),
        exact("specification curve, lowest", found.lowest, -8497.52, source=source),
        exact("specification curve, contested", float(found.contested), 1.0, source=source),
    ]
