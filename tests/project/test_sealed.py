from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from octad.errors import LedgerError
from octad.model.records import Seal
from octad.project.digest import canonical, direction, plan_digest, plan_record, sha256
from octad.project.ledger import Ledger
from octad.project.load import load_plan
from octad.project.sealed import judged
from tests.project.wallet import LAUNCH, PROJECT, write

NOW = datetime(2026, 2, 27, tzinfo=UTC)


def seal_of(root: Path) -> Seal:
    plan = load_plan(root, "circles").plan
    return Seal(launch="circles", plan_digest=plan_digest(plan), record=plan_record(plan))


def test_without_a_seal_the_file_is_judged_by(wallet: Path) -> None:
    loaded = load_plan(wallet, "circles")
    found = judged(loaded, Ledger.open(wallet))
    assert found.loaded is loaded
    assert (found.digest, found.seal, found.changed) == (plan_digest(loaded.plan), None, ())


def test_a_sealed_plan_comes_back_as_it_was(wallet: Path) -> None:
    before = load_plan(wallet, "circles").plan
    Ledger.open(wallet).append(seal_of(wallet), now=NOW)
    found = judged(load_plan(wallet, "circles"), Ledger.open(wallet))
    assert found.plan.launch == before.launch
    assert found.plan.project == before.project
    assert plan_digest(found.plan) == found.digest
    assert found.changed == ()


def test_what_is_measured_and_promised_is_sealed_and_where_it_lies_is_not(wallet: Path) -> None:
    before = load_plan(wallet, "circles").plan
    Ledger.open(wallet).append(seal_of(wallet), now=NOW)
    project = PROJECT.replace("count: pay, window: 28d", "count: open, window: 28d")
    project = project.replace("core: true", "core: false").replace("data/users", "moved/users")
    launch = LAUNCH.replace("crash_rate: 2%, ", "").replace("kpi: opens", "kpi: payments")
    write(wallet, project, launch)
    found = judged(load_plan(wallet, "circles"), Ledger.open(wallet))
    assert found.plan.launch == before.launch
    assert found.plan.project.charter == before.project.charter
    assert found.plan.metric("payments") == before.metric("payments")
    assert found.plan.project.sources.users is not None
    assert found.plan.project.sources.users.table == "moved/users.parquet"
    assert {(d.what.split(":")[0], d.direction) for d in found.changed} == {
        ("kpi", ""),
        ("guardrails.crash_rate", "looser"),
        ("metrics.payments.count", ""),
        ("charter.jobs.pay.core", ""),
        ("charter.jobs.transfer.core", ""),
    }


def test_a_metric_that_octad_yml_no_longer_has_is_still_measured(wallet: Path) -> None:
    Ledger.open(wallet).append(seal_of(wallet), now=NOW)
    project = PROJECT.replace("  crash_rate:  {ratio: [crash, open], better: down}\n", "")
    write(wallet, project, LAUNCH.replace("crash_rate: 2%, ", ""))
    found = judged(load_plan(wallet, "circles"), Ledger.open(wallet))
    assert found.plan.metric("crash_rate").better == "down"


def test_a_record_that_is_not_what_its_fingerprint_says_is_refused(wallet: Path) -> None:
    seal = seal_of(wallet)
    record = {**seal.record, "launch": {**seal.record["launch"], "kpi": "payments"}}
    Ledger.open(wallet).append(seal.model_copy(update={"record": record}), now=NOW)
    with pytest.raises(LedgerError, match=r"ledger\.jsonl:1.*not the one its fingerprint names"):
        judged(load_plan(wallet, "circles"), Ledger.open(wallet))


def test_a_seal_of_a_newer_version_is_said(wallet: Path) -> None:
    seal = seal_of(wallet)
    record = {**seal.record, "launch": {**seal.record["launch"], "hologram": True}}
    digest = sha256(canonical(record))
    newer = seal.model_copy(update={"record": record, "plan_digest": digest})
    Ledger.open(wallet).append(newer, now=NOW)
    with pytest.raises(LedgerError, match="cannot be read by this version"):
        judged(load_plan(wallet, "circles"), Ledger.open(wallet))


@pytest.mark.parametrize(
    ("place", "before", "after", "said"),
    [
        (("launch", "guardrails", "crash"), "2%", "1%", "stricter"),
        (("launch", "guardrails", "crash"), "2%", None, "looser"),
        (("launch", "results"), None, {"payments": "1%"}, "stricter"),
        (("launch", "results", "payments"), "1%", "0.5pp", ""),
        (("launch", "rules", "guardrail_error"), 0.05, 0.2, "looser"),
        (("launch", "rules", "level"), 0.95, 0.99, "stricter"),
        (("launch", "rules", "looks"), 1, 3, ""),
        (("charter", "never", "family"), "Shame them.", None, "looser"),
        (("launch", "kpi"), "opens", "payments", ""),
    ],
)
def test_which_way_a_change_goes(
    place: tuple[str, ...], before: object, after: object, said: str
) -> None:
    assert direction(place, before, after) == said
