"""The one exception family of whitebox_filters."""


class FilterError(ValueError):
    """Base of every error that whitebox_filters raises on purpose."""


class UnknownFilterError(FilterError):
    """A name that the registry does not hold."""


class DuplicateFilterError(FilterError):
    """A second filter under a name that is taken."""


class PluginError(FilterError):
    """A filter that an installed package offers and that cannot be used."""


class ThetaError(FilterError):
    """Filter arguments of a wrong length, outside [-1, 1], or not finite."""


class ImageError(FilterError):
    """An image or mask of a type, dtype, shape or value that no backend accepts."""


class BackendError(FilterError):
    """A backend that is not installed here or cannot take this image."""


class LutError(FilterError):
    """A LUT, or a .cube file, that is malformed, cannot be baked, read or written."""
