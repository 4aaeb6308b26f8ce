"""Pages and pictures that the texts point to are there."""

import re

import pytest
from places import ROOT

PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "BENCHMARKS.md",
    "RELIABILITY.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/*.md")),
]
PAGES += sorted(
    path.relative_to(ROOT).as_posix()
    for kind in ("upstream", "downstream", "s3prl_pemr", "recipes")
    for path in ROOT.glob(f"{kind}/*/README.md")
)


@pytest.mark.parametrize("page", PAGES)
def test_links_and_named_pages_are_there(page):
    text = (ROOT / page).read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    missing = [link for link in links if not ((ROOT / page).parent / link).exists()]
    missing += [name for name in re.findall(r"`(docs/[\w.]+)`", text) if not (ROOT / name).exists()]
    assert not missing
