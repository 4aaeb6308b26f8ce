"""What a user may type after `-u`, each with -k FOLDER: mert_local."""

from .folder import folder_of as _folder_of


def mert_local(ckpt=None, **_):
    """MERT (Li et al., ICLR 2024) from a folder (-k), as of m-a-p/MERT-v1-95M or -330M; frames of 40 ms."""
    folder = _folder_of("mert_local", ckpt, "m-a-p/MERT-v1-95M")
    from .expert import PiecewiseExpert
    from .mert import MERT

    return PiecewiseExpert(MERT(folder))
