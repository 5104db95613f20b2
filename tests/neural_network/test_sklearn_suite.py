"""scikit-learn's own tests of its MLP, read from the installed package and run with one import line replaced.

All that use public behaviour pass; the others are named here, each with its reason.
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import sklearn.neural_network.tests

THEIRS = "from sklearn.neural_network import MLPClassifier, MLPRegressor"
OURS = "from modnet.neural_network import MLPClassifier, MLPRegressor"
CONFTEST = """
import pytest

@pytest.fixture
def global_random_seed():
    return 42
"""
PRIVATE = {
    "test_fit": "assigns coefs_ and private attributes to a model that was never fitted",
    "test_gradient": "calls the private method _loss_grad_lbfgs",
}


@pytest.mark.slow
def test_all_but_the_tests_of_private_attributes_pass(tmp_path: Path):
    suite = Path(sklearn.neural_network.tests.__path__[0], "test_mlp.py").read_text(encoding="utf-8")
    assert suite.count(THEIRS) == 1
    (tmp_path / "test_mlp.py").write_text(suite.replace(THEIRS, OURS), encoding="utf-8")
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=report.xml", "test_mlp.py"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run(command, cwd=tmp_path, env=environment, check=False, capture_output=True, timeout=600)
    cases = ElementTree.parse(tmp_path / "report.xml").getroot().findall(".//testcase")
    failed = {
        case.attrib["name"] for case in cases if case.find("failure") is not None or case.find("error") is not None
    }
    skipped = [case for case in cases if case.find("skipped") is not None]
    assert failed == PRIVATE.keys()
    assert len(cases) - len(failed) - len(skipped) >= 55
