"""The judgement as machines and terminals read it: verdict.json, junit.xml, a text block."""

import json
from xml.etree import ElementTree as ET

from analysis.verdict import Finding, Judgement, Verdict
from history.operation import Outcome

_WIDTH = 13


def verdict_json(judgement: Judgement, *, indent: int | None = None) -> str:
    """Give the JSON form; one line unless indented."""
    return json.dumps(judgement.to_json(), indent=indent, ensure_ascii=False)


def junit_xml(judgement: Judgement) -> str:
    """Give JUnit XML: one test case a check; INCONCLUSIVE is an error, FAIL a failure."""
    suite = ET.Element(
        "testsuite",
        name="gapless",
        tests=str(len(judgement.findings)),
        failures=str(sum(f.verdict is Verdict.FAIL for f in judgement.findings)),
        errors=str(
            sum(f.verdict is Verdict.INCONCLUSIVE and f.decides for f in judgement.findings)
        ),
    )
    for finding in judgement.findings:
        case = ET.SubElement(
            suite, "testcase", classname=f"gapless.{judgement.run_id}", name=finding.check
        )
        text = "\n".join([finding.summary, *(piece.summary for piece in finding.evidence)])
        if finding.verdict is Verdict.FAIL:
            ET.SubElement(case, "failure", message=_xml(finding.summary)).text = _xml(text)
        elif finding.verdict is Verdict.INCONCLUSIVE and finding.decides:
            ET.SubElement(case, "error", message=_xml(finding.summary)).text = _xml(text)
        else:
            ET.SubElement(case, "system-out").text = _xml(text)
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _xml(text: str) -> str:
    """Replace what XML 1.0 cannot hold: a server may have sent anything."""
    return "".join(
        c if c in "\t\n" or (c >= " " and c not in "\ufffe\uffff") else "\ufffd" for c in text
    )


def verdict_block(judgement: Judgement) -> str:
    """Give the block that a run prints: the verdict, the counts, one line a check."""
    operations, values = judgement.operations, judgement.values
    sources = ", ".join(
        f"{source or 'unnamed'} {counts['total']:,}"
        for source, counts in sorted(operations["by_source"].items())
    )
    outcomes = ", ".join(f"{operations[str(outcome)]:,} {outcome}" for outcome in Outcome)
    heading = (
        f"{judgement.verdict}  {judgement.run_id}\n"
        f"  {operations['total']:,} operations ({sources}): {outcomes}\n"
        f"  values {_number(values['first'])} to {_number(values['last'])}, "
        f"{_number(values['distinct'])} distinct; counter {_number(values['initial'])} before, "
        f"{_number(values['final'])} after"
    )
    return "\n".join([heading, *(_line(finding) for finding in judgement.findings)])


def _line(finding: Finding) -> str:
    verdict = str(finding.verdict) + ("" if finding.decides else " (informs)")
    return f"  {finding.check:<12} {verdict:<{_WIDTH}} {finding.summary}"


def _number(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"
