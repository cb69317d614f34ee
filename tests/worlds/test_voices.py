from __future__ import annotations

import numpy as np
import pytest

from octad.worlds.base import Random
from octad.worlds.change import FEED, Change, Rollout
from octad.worlds.faults import Faults
from octad.worlds.life import DAY, Life
from octad.worlds.people import born
from octad.worlds.voices import TOPICS, Rival, Said, Voices


def heard(
    *,
    treated: bool,
    rival: Rival,
    days: int = 20,
    n: int = 6000,
    change: Change = FEED,
    faults: Faults | None = None,
) -> Said:
    random = Random(5)
    people = born(random, n)
    life = Life(random, people, change, Rollout(), np.full(n, treated))
    voices = Voices(random, people, rival, faults, change)
    for day in range(days):
        voices.hear(life.day(day))
    return voices.said(days * DAY)


def test_nobody_writes_of_what_nobody_lived() -> None:
    said = heard(treated=False, rival=Rival(0.0, ()))
    about = {TOPICS[topic] for topic in said.topic}
    assert "quick" in about
    assert not {name for name in about if name.startswith(("feed", "r_"))}
    assert "leaving" not in about


def test_who_lives_with_the_feed_writes_of_it_and_worse() -> None:
    calm, fed = (heard(treated=t, rival=Rival(0.0, ())) for t in (False, True))
    about = {TOPICS[topic] for topic in fed.topic}
    assert {"feed_noise", "feed_shame", "feed_fun"} <= about
    assert fed.stars[~fed.rival].mean() < calm.stars.mean() - 1


def test_the_rival_is_disliked_while_its_social_page_is_in_the_way() -> None:
    said = heard(treated=False, rival=Rival(30.0, ((10, 20),)))
    rival, late = said.rival, said.at >= 10 * DAY
    assert said.stars[rival & late].mean() < said.stars[rival & ~late].mean() - 0.3
    social = np.array([TOPICS[topic] == "r_social" for topic in said.topic])
    assert social[late].any()
    assert not social[~late].any()


def test_reviews_come_in_the_order_of_time_and_none_after_the_end() -> None:
    said = heard(treated=True, rival=Rival(5.0, ()))
    assert (np.diff(said.at) >= 0).all()
    assert said.at.max() < 20 * DAY
    assert set(said.stars.tolist()) <= {1, 2, 3, 4, 5}


@pytest.mark.parametrize(
    ("change", "topic"),
    [
        (Change(nag=0.7, lure=0.25, lure_stays=1.0), "nagged"),
        (Change(instead=0.6), "owed"),
        (Change(farms=0.02, farmed=30.0), "farmed"),
        (Change(slow=(0.5, 2.0, 9.0)), "slow"),
        (Change(tangle=0.3), "blank"),
        (Change(hidden=9.0), "hidden"),
    ],
)
def test_people_write_of_what_this_launch_did_to_them(change: Change, topic: str) -> None:
    said = heard(treated=True, rival=Rival(0.0, ()), change=change)
    about = {TOPICS[code] for code in said.topic}
    assert topic in about
    assert not {name for name in about if name.startswith("feed") or name == "leaving"}


def test_bought_praise_is_pasted_and_some_of_it_found_out() -> None:
    faults = Faults(praise=60.0, praise_days=(3, 9))
    said = heard(treated=True, rival=Rival(0.0, ()), change=Change(), faults=faults)
    bought = (said.user < 0) & ~said.rival
    assert bought.sum() > 250
    assert (said.stars[bought] == 5).all()
    assert (said.pasted[bought] >= 0).mean() == pytest.approx(0.6, abs=0.1)
    assert said.deleted[bought].mean() == pytest.approx(0.4, abs=0.1)
    assert (said.pasted[~bought] < 0).all()
    assert not said.deleted[~bought].any()
