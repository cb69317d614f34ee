"""Is it still the product it is meant to be?"""

from __future__ import annotations

from collections.abc import Sequence

from octad.model.finding import Answer, Finding, Stance
from octad.model.inputs import Inputs
from octad.model.needs import Needs
from octad.model.plan import Plan
from octad.readings.famous import talk_of_jobs
from octad.readings.job_back import counted_by
from octad.readings.job_split import split
from octad.readings.job_volume import done_less
from octad.readings.jobs import displaced, mix, steps
from octad.readings.never import never_lines
from octad.readings.voices import Talk, listen

QUESTION = "Is it still the product it is meant to be?"


def needs(plan: Plan) -> Needs:
    """Ask for the use of the charter's jobs, for reviews, and for errors to hold lines against."""
    charter = plan.project.charter
    terms = any(job.terms for job in charter.jobs.values())
    used = any(job.events for job in charter.jobs.values())
    compared = used and plan.launch.randomised
    return Needs(
        daily=frozenset(counted_by(plan).values()) if compared else frozenset(),
        jobs=used,
        exposure=used,
        reviews=terms or bool(charter.never),
        errors=bool(charter.never and charter.errors),
    )


def read(plan: Plan, inputs: Inputs) -> Answer:
    """Hold use and talk against the charter: its jobs, and the lines it must never cross.

    - mix: the core jobs' share of all use of jobs. Against when the share is shown to fall *and*
      so is core use per user: a share that falls only because something was added is mixed. For
      when the share is shown to lose less than two points.
    - displaced: of those who did a core job before, how many still do, against control (Holm over
      the jobs). Against when fewer are shown to.
    - less: how often each core job is done, against control. Against when a twentieth of its use or
      more is gone, and it is shown to be done less (Holm over the jobs). Where its days show that
      some of the loss came back, what is lost in the last third of them counts, of displaced too.
    - talk: whether core jobs' share of what people write fell while another job's rose: against.
    - never-lines: see `octad.readings.never`; quotes and events are against, never harm.
    - whether more people do a job or each does it more often, and the steps to each core job, are
      told, without a side.

    Against: any of these is against. For: the mix is for, and none of the others is mixed. Mixed:
    anything else. Silent: a charter without jobs and lines, or no data for any of them.
    """
    charter = plan.project.charter
    missing: list[str] = []
    if not charter.jobs:
        missing.append("The charter's `jobs:` in octad.yml: what people hire the product for.")
    elif not any(job.core for job in charter.jobs.values()):
        missing.append("Which of the charter's jobs are the core ones: `core: true`.")
    heard = listen(plan, inputs)
    talk = heard if isinstance(heard, Talk) else None
    findings: list[Finding] = []
    if inputs.jobs is not None and charter.jobs:
        findings += mix(plan, inputs, inputs.jobs)
        findings += split(plan, inputs, inputs.jobs)
        findings += displaced(plan, inputs, inputs.jobs)
        findings += done_less(plan, inputs, inputs.jobs)
        findings += steps(plan, inputs, inputs.jobs)
    elif charter.jobs:
        missing.append("An events source, and the `events:` of each of the charter's jobs.")
    if talk is not None:
        findings += talk_of_jobs(plan, talk)
    elif isinstance(heard, str) and (charter.never or charter.jobs):
        missing.append(heard)
    if charter.jobs and not any(job.terms for job in charter.jobs.values()):
        missing.append("The `terms:` of the charter's jobs: the words people use for them.")
    lines = never_lines(plan, talk, inputs)
    if not charter.never:
        missing.append("The charter's `never:` in octad.yml: the lines it must never cross.")
    if not findings and not lines:
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary="the charter, or the data, say nothing to hold the launch against",
            missing=tuple(missing),
        )
    return Answer(
        stance=_stance(findings, lines),
        question=QUESTION,
        summary=_summary(findings, lines),
        findings=(*findings, *lines),
        missing=tuple(missing),
    )


def _stance(findings: Sequence[Finding], lines: Sequence[Finding]) -> Stance:
    stances = [f.stance for f in (*findings, *lines)]
    if Stance.AGAINST in stances:
        return Stance.AGAINST
    mix = [f.stance for f in findings if f.id.startswith("product.mix")]
    whole = bool(mix) and all(stance is Stance.FOR for stance in mix)
    return Stance.FOR if whole and Stance.MIXED not in stances else Stance.MIXED


def _summary(findings: Sequence[Finding], lines: Sequence[Finding]) -> str:
    order = {Stance.AGAINST: 0, Stance.MIXED: 1, Stance.FOR: 2, None: 3}
    told = sorted(findings, key=lambda f: order.get(f.stance, 3))
    parts = [f.claim.split(";")[0].rstrip(".") for f in told[:2]]
    doubted = sorted((f for f in lines if f.stance), key=lambda f: order.get(f.stance, 3))
    parts += [f"never-line “{f.id.rsplit('.', 1)[1]}” is in question" for f in doubted[:1]]
    return " · ".join(part[:1].lower() + part[1:] for part in parts)
