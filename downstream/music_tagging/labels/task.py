"""The kinds of task by their names in the config."""

from .key import Key
from .multiclass import Multiclass
from .regression import Regression
from .tagging import Tagging

Kind = type[Tagging] | type[Multiclass] | type[Regression]
Task = Kind | Tagging | Multiclass | Regression  # a kind, or made for a number of outputs
Probabilistic = type[Tagging] | type[Multiclass] | Tagging | Multiclass
TASKS: dict[str, Kind] = {
    "tags": Tagging,
    "genre": Multiclass,
    "multiclass": Multiclass,
    "key": Key,
    "regression": Regression,
}
