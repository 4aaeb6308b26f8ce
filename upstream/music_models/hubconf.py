"""What a user may type after `-u`, each with -k FOLDER: mert_local, ast_local, clap_local."""

from .folder import folder_of as _folder_of


def mert_local(ckpt=None, **_):
    """MERT (Li et al., ICLR 2024) from a folder (-k), as of m-a-p/MERT-v1-95M or -330M; frames of 40 ms."""
    folder = _folder_of("mert_local", ckpt, "m-a-p/MERT-v1-95M")
    from .expert import PiecewiseExpert
    from .mert import MERT

    return PiecewiseExpert(MERT(folder))


def ast_local(ckpt=None, **_):
    """AST (Gong et al. 2021) from a folder (-k), as of MIT's; frames of 0.1 s."""
    folder = _folder_of("ast_local", ckpt, "MIT/ast-finetuned-audioset-10-10-0.4593")
    from .ast import AST
    from .expert import PiecewiseExpert

    return PiecewiseExpert(AST(folder))


def clap_local(ckpt=None, **_):
    """CLAP's audio tower (Wu et al. 2023) from a folder (-k), as of laion/larger_clap_music."""
    folder = _folder_of("clap_local", ckpt, "laion/larger_clap_music")
    from .clap import CLAP
    from .expert import PiecewiseExpert

    return PiecewiseExpert(CLAP(folder))
