"""Whether tables, indexes and buses are there and as they must be."""

from collections.abc import Sequence
from functools import partial

from config.doctor.diagnosis import Check, Diagnosis, Light, green, red, told
from config.provisioning import ADAPTERS, PartReport, examine_adapter, examine_migrations
from crm_events.ports.provisioning import Condition, Finding

GROUP = "Schema"
_SECONDS = 30.0  # a verification asks an engine about each thing by itself
_MANY = 5


def schema_checks() -> list[Check]:
    """Return a check for the migrations, and one for each adapter."""
    adapters = [Check(GROUP, part, partial(_examine_adapter, part), _SECONDS) for part in ADAPTERS]
    return [Check(GROUP, "migrations", lambda: translate(examine_migrations()), _SECONDS), *adapters]


def _examine_adapter(part: str) -> list[Diagnosis]:
    return translate(examine_adapter(part, ADAPTERS[part], change=False))


def translate(report: PartReport) -> list[Diagnosis]:
    """Return a line for each fault and each thing an endpoint lacks; one line if all is well."""
    if report.error:
        return [told(report.part, Light.RED, f"unknown. {report.error}", "mend the engine first.")]
    if not report.findings:
        return [green(report.part, f"{report.adapter}: tables that migrate makes")]
    faults = [finding for finding in report.findings if finding.is_fault]
    lacks = [finding for finding in report.findings if finding.condition is Condition.UNSUPPORTED]
    lines = [_fault(report.part, finding) for finding in faults[:_MANY]]
    if len(faults) > _MANY:
        lines.append(red(report.part, f"and {len(faults) - _MANY} more", "see manage.py provision --check."))
    lines += [told(f"{report.part}: {one.subject}", Light.AMBER, one.detail or _LACKS, _UNSUPPORTED) for one in lacks]
    return lines or [green(report.part, f"{report.adapter}: {_summary(report.findings)}")]


_LACKS = "this endpoint has no such thing"
_UNSUPPORTED = "nothing with a local engine; in production, use one that has it."


def _summary(findings: Sequence[Finding]) -> str:
    if len(findings) == 1:
        return f"{findings[0].subject}: {findings[0].detail or 'as they must be'}"
    return f"{len(findings)} things as they must be"


def _fault(part: str, finding: Finding) -> Diagnosis:
    subject = f"{part}: {finding.subject}"
    if "manage.py" in finding.detail and " Next: " not in finding.detail:
        return red(subject, finding.condition, finding.detail)
    step = "run manage.py provision."
    if finding.condition is Condition.DIFFERENT:
        step = "run manage.py provision; what it cannot change safely, it says."
    said = f"{finding.condition}: {finding.detail}" if finding.detail else finding.condition
    return told(subject, Light.RED, said, step)
