"""A map of a plan: where a row's upstream puts the clips of a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .cells import Place, PretrainingCell, checkpoint_of, upstream_of
from .launchers import lay_out
from .plan import Maps, Plan, Row
from .stages import Stages


@dataclass(frozen=True, eq=False)
class MapCell:
    """One row's map."""

    row: Row
    maps: Maps
    place: Place
    pretraining: PretrainingCell | None

    @property
    def title(self) -> str:
        """For people."""
        return f"map: {self.row.name}"

    @property
    def folder(self) -> Path:
        """Of this cell alone."""
        return self.place.folder / "maps" / self.row.folder

    @property
    def file(self) -> Path:
        """Where the clips lie: .npz."""
        return self.folder / "map.npz"

    def carry_out(self, stages: Stages) -> None:
        """Run what is missing."""
        row, maps = self.row, self.maps
        model = upstream_of(row, self.pretraining), checkpoint_of(row, self.pretraining), row.layer
        stages.run("map", lay_out(self.place.stores[maps.store], self.file, *model, maps.split, maps.clips))


def map_cells(plan: Plan, place: Place, runs: Mapping[str, PretrainingCell]) -> list[MapCell]:
    """In the order in which the plan names the rows; `runs` has the first seed's pretrainings by name."""
    rows = {row.name: row for row in plan.rows}
    return [MapCell(rows[name], plan.maps, place, runs.get(rows[name].pretrained)) for name in plan.maps.rows]
