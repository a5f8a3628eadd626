"""The OpenAPI document is true: schemathesis asks for everything in it, well and badly."""

from __future__ import annotations

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

OPERATIONS = [
    ("POST", "/v1/harmonize"),
    ("POST", "/v1/apply"),
    ("POST", "/v1/lut"),
    ("POST", "/v1/compose"),
    ("POST", "/v1/mask"),
    ("POST", "/v1/preview"),
    ("POST", "/v1/colours"),
    ("POST", "/v1/grade"),
    ("GET", "/v1/filters"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
]
# What is got takes no parameters that could be wrong.
CASES = [(*each, "POSITIVE") for each in OPERATIONS] + [(*each, "NEGATIVE") for each in OPERATIONS if each[0] == "POST"]


@pytest.mark.parametrize(("method", "path", "mode"), CASES)
def test_every_answer_is_one_that_the_document_has(url, method, path, mode):
    operation = schemathesis.openapi.from_url(f"{url}/openapi.json")[path][method]

    @given(case=operation.as_strategy(generation_mode=getattr(schemathesis.GenerationMode, mode)))
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    def ask(case):
        # No schema says which bytes are a picture, or which edits the registry knows.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    ask()


def test_the_document_has_every_route_and_every_problem(url):
    document = httpx.get(f"{url}/openapi.json").json()
    assert set(document["paths"]) == {path for _, path in OPERATIONS}
    for path in ("/v1/harmonize", "/v1/apply", "/v1/lut"):
        responses = document["paths"][path]["post"]["responses"]
        assert set(responses) >= {"200", "400", "401", "413", "415", "422", "429", "503"}
