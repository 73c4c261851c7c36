"""Projections: principal components are those of a singular value decomposition, and nothing depends on the day."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tripleteval import MissingExtra, ParameterError
from tripleteval.report.projection import explained, projected


@pytest.fixture(scope="module")
def cloud():
    return np.random.default_rng(2).normal(size=(50, 6)) @ np.diag([9, 5, 1, 1, 1, 1]) + 100


def test_principal_components_are_those_of_a_singular_value_decomposition(cloud):
    left, values, _ = np.linalg.svd(cloud - cloud.mean(axis=0), full_matrices=False)
    assert np.abs(projected(cloud)) == pytest.approx(np.abs(left[:, :2] * values[:2]), abs=1e-9)
    assert explained(cloud, projected(cloud)) == pytest.approx((values[:2] ** 2).sum() / (values**2).sum())


def test_the_sign_is_that_of_the_largest_component(cloud):
    assert projected(-cloud) == pytest.approx(-projected(cloud))
    assert np.array_equal(projected(cloud), projected(cloud.copy()))


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (2, 1), (5, 1), (3, 2)])
def test_every_shape_has_a_place_on_the_plane(shape):
    vectors = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    found = projected(vectors)
    assert found.shape == (shape[0], 2)
    assert np.isfinite(found).all()
    assert 0 <= explained(vectors, found) <= 1 + 1e-9


def test_equal_vectors_are_one_point():
    assert np.ptp(projected(np.ones((4, 3))), axis=0) == pytest.approx([0, 0])
    assert explained(np.ones((4, 3)), np.zeros((4, 2))) == 1.0


def test_another_method_is_refused_and_a_missing_one_named(cloud, monkeypatch):
    with pytest.raises(ParameterError, match="E510 unknown projection 'tsne'"):
        projected(cloud, "tsne")
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtra, match=r"pip install 'tripleteval\[map\]'"):
        projected(cloud, "umap")


def test_a_umap_map_does_without_tensorflow(tmp_path):
    """umap-learn imports it for its parametric variant: seconds of waiting, and a page of log."""
    package = tmp_path / "umap"
    package.mkdir()
    (package / "umap_.py").write_text("class UMAP: pass\n")
    (package / "parametric_umap.py").write_text("import tensorflow\nParametricUMAP = 'the real one'\n")
    (package / "__init__.py").write_text(
        "from .umap_ import UMAP\n"
        "try:\n    from .parametric_umap import ParametricUMAP\n"
        "except ImportError:\n    ParametricUMAP = 'a stand-in'\n"
    )
    (tmp_path / "tensorflow.py").write_text("")
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from tripleteval.report.projection import _umap_class\n"
        "made = _umap_class()\n"
        "assert made.__name__ == 'UMAP' and _umap_class() is made\n"
        "assert 'tensorflow' not in sys.modules\n"
        "import umap\n"
        "assert umap.ParametricUMAP == 'the real one', 'others get all of it'\n"
        "assert 'tensorflow' in sys.modules and _umap_class() is umap.UMAP is made\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
