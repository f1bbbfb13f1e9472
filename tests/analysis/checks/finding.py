"""What a finding must say."""

from analysis.verdict import Finding, Verdict


def assert_finding(finding: Finding, verdict: Verdict, summary: str) -> None:
    """Assert what is concluded, and that evidence is given exactly where some is counted."""
    assert (finding.verdict, finding.summary) == (verdict, summary)
    assert (finding.evidence_total > 0) == (len(finding.evidence) > 0)
