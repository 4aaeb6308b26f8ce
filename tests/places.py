"""Where things are that more than one test needs."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"  # files that earlier versions wrote
SHARED = ROOT.parent / "shared" / "data"  # real annotations and lists; tests that need them skip without
TOOLKIT_TASKS = ROOT / "tests" / "toolkit_tasks"
