"""What is imported is declared in setup.cfg, and what is declared is imported."""

import ast
import configparser
import re
import sys

from places import ROOT

KINDS = ("s3prl_pemr", "upstream", "pretrain", "downstream")
OTHER_NAMES = {  # where the distribution has another
    "faiss-cpu": "faiss",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
}
NOT_IMPORTED = {"pretty_midi", "accelerate"}  # the demo reads a file of it; transformers' device_map
OF_S3PRL = {"huggingface_hub", "torchcodec"}  # s3prl's and torchaudio's own, which compat.py looks at
TOOLS = {"pytest", "pytest_cov", "pytest_xdist", "ruff", "mypy", "vulture", "build", "setuptools"}


def imported():
    """Top-level names of all imports, wherever in a file they stand."""
    found = {}
    for path in (path for kind in KINDS for path in (ROOT / kind).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            for name in names:
                found.setdefault(name.partition(".")[0], path.relative_to(ROOT).as_posix())
    own = {"s3prl_pemr", "__future__"} | set(sys.stdlib_module_names)
    return {name: path for name, path in found.items() if name not in own}


def declared(*sections):
    """Import names of setup.cfg's requirements, with those of some extras; and the names of all extras."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    extras = dict(config["options.extras_require"])
    texts = [config["options"]["install_requires"], *(extras[name] for name in sections)]
    lines = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
    names = [re.match(r"[\w.-]+", line)[0] for line in lines if not line.startswith("#")]
    return {OTHER_NAMES.get(name, name.replace("-", "_")) for name in names}, set(extras)


def test_what_is_imported_is_declared():
    _, extras = declared()
    names, _ = declared(*extras)
    assert {name: path for name, path in imported().items() if name not in names | OF_S3PRL} == {}


def test_what_is_declared_is_imported():
    _, extras = declared()
    names, _ = declared(*extras)
    assert names - set(imported()) - NOT_IMPORTED - TOOLS == set()
