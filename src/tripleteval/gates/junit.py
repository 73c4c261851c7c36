"""A gate as JUnit XML, which every CI system shows as tests."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, tostring

from tripleteval.errors import visible
from tripleteval.gates.result import Gate
from tripleteval.gates.wording import sentence


def junit(gate: Gate) -> bytes:
    """Return an XML document with one test case per requirement; control characters are escaped as text."""
    failures = sum(not check.passed for check in gate.checks)
    counts = {"tests": str(len(gate.checks)), "failures": str(failures), "errors": "0", "skipped": "0"}
    root = Element("testsuites", counts)
    suite = SubElement(root, "testsuite", {"name": f"tripleteval gate {visible(gate.run)}", **counts})
    properties = SubElement(suite, "properties")
    SubElement(properties, "property", {"name": "result_hash", "value": gate.result_hash})
    for check in gate.checks:
        case = SubElement(suite, "testcase", {"classname": "tripleteval.gate", "name": visible(check.requirement)})
        said = visible(sentence(check))
        if check.passed:
            SubElement(case, "system-out").text = said
        else:
            SubElement(case, "failure", {"message": said, "type": "requirement"}).text = said
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"
