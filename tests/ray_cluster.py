"""A local Ray cluster for the tests of one file: two cores, or its CLUSTER_CORES. Skipped without Ray."""

import os
import sys

import pytest


@pytest.fixture(scope="module")
def cluster(request):
    ray = pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as patch:
        # worker processes import this package as this process does
        patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
        cores = getattr(request.module, "CLUSTER_CORES", 2)
        ray.init(num_cpus=cores, include_dashboard=False, log_to_driver=False, logging_level="error")
        yield ray
        ray.shutdown()
