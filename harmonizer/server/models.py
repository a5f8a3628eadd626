"""What requests and answers look like in JSON."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harmonizer.pictures.coding.formats import Format
from harmonizer.pictures.placement import Placement
from harmonizer.server.problems import RequestError

Theta = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]


class PlacementModel(BaseModel):
    """Where the foreground lies on the background; without it they are of one size, pixel over pixel."""

    model_config = ConfigDict(extra="forbid", strict=True)

    x: float = Field(allow_inf_nan=False, description="The foreground's centre, in pixels of the background.")
    y: float = Field(allow_inf_nan=False)
    scale: float = Field(1.0, gt=0, le=100, description="Pixels of the background to one of the foreground.")
    flip: bool = Field(False, description="Left to right.")


class Options(BaseModel):
    """What may be asked for beside the pictures."""

    model_config = ConfigDict(extra="forbid", strict=True)

    theta: dict[str, Theta] = Field({}, description="Theta of some filters, instead of the predicted one.")
    filters: list[str] | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Filters in order, instead of the network's; those that it does not predict have theta 0.",
    )
    format: Annotated[Format, Field(strict=False)] = Field(Format.png, description="Of the picture that is answered.")
    place: PlacementModel | None = Field(None, description="Where the foreground lies on the background.")

    @property
    def placement(self) -> Placement | None:
        """The placement as the pictures' code has it."""
        return None if self.place is None else Placement(**self.place.model_dump())

    @classmethod
    def read(cls, text: str) -> Options:
        """Options from JSON text. Raises RequestError 422, which names the field."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"])) or "the whole"
            raise RequestError(
                422,
                f"the options cannot be used: {place}: {first['msg']}",
                given=text[:200],
                accepted='JSON such as {"theta": {"contrast": 0.2}, "filters": ["contrast", "tint"], "format": "png"}',
                advice="GET /v1/filters lists the filters and the formats.",
            ) from error


class FilterModel(BaseModel):
    """A filter of the registry."""

    name: str
    summary: str = Field(description="What turning it up does.")
    less: str = Field(description="What it does below 0, in a word or two.")
    more: str = Field(description="What it does above 0.")
    low: float = -1.0
    high: float = 1.0


class FiltersModel(BaseModel):
    """The registry, and what the network of this service predicts."""

    filters: list[FilterModel]
    predicted: list[str] = Field(description="The filters whose theta the network predicts, in their order.")
    formats: list[str] = Field(description="Formats of pictures that are answered.")


class InputModel(BaseModel):
    """The picture and the mask that an edit belongs to."""

    image_sha256: str
    mask_sha256: str


class StepModel(BaseModel):
    """One filter of an edit."""

    name: str
    theta: Theta
    statistic: float | list[float] | None = Field(None, description="The mean, or three, that the filter measured.")


class EditModel(BaseModel):
    """What was done to a picture, as `harmonizer run --edit` writes it (docs/edit.schema.json)."""

    format: int
    harmonizer_version: str
    registry_version: int
    input: InputModel
    statistics_region: str
    filters: list[StepModel]


class ProblemModel(BaseModel):
    """Why a request was not answered."""

    error: str
    given: str
    accepted: str
    advice: str


EXAMPLE_EDIT = {
    "format": 1,
    "harmonizer_version": "0.1.0",
    "registry_version": 1,
    "input": {"image_sha256": "0" * 64, "mask_sha256": "f" * 64},
    "statistics_region": "frame",
    "filters": [
        {"name": "temperature", "theta": 0.16, "statistic": [0.41, 0.38, 0.33]},
        {"name": "brightness", "theta": 0.08},
    ],
}
