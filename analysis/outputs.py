"""The judgement as machines read it: verdict.json and junit.xml."""

import json
from xml.etree import ElementTree as ET

from analysis.verdict import Judgement, Verdict


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
