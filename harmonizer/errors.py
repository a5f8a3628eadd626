"""The one exception family of harmonizer, and its warnings."""


class HarmonizerError(Exception):
    """Base of every error that harmonizer raises on purpose."""


class ImageFileError(HarmonizerError):
    """A file that is missing, unreadable, not a picture, damaged, too large or of an unsupported kind."""


class MaskError(HarmonizerError):
    """A mask file that does not belong to its picture, or is no mask."""


class CheckpointError(HarmonizerError):
    """A checkpoint that is missing, damaged, or made for something else than this version."""


class EngineError(HarmonizerError):
    """An engine for the network that is unknown, not installed, or beyond this processor."""


class EditError(HarmonizerError):
    """An edit file that is missing, malformed, newer than this version, or without the filter that is asked for."""


class StreamError(HarmonizerError):
    """A stream of raw frames that is empty or cut off, or whose size or pixel format is invalid."""


class RecipeError(HarmonizerError):
    """A training recipe that is unknown, malformed or makes no run."""


class EvaluationError(HarmonizerError):
    """A learner or a layout of data that is unknown, or a learner's name that is taken."""


class VideoError(HarmonizerError):
    """A video that is missing, unreadable, damaged, cut off, or does not belong to the others."""


class TimelineError(HarmonizerError):
    """A timeline of arguments that is malformed, or belongs to another video."""


class BatchError(HarmonizerError):
    """A folder or manifest that makes no batch, a report that is none, or an engine that is not installed."""


class StudyError(HarmonizerError):
    """A study's folder or database that is missing, malformed or incomplete, or an answer that does not fit."""


class StoreError(StudyError):
    """A study's database that cannot be used now: its disk is full, or another process holds it."""


class OutputError(HarmonizerError):
    """A place or format that a picture cannot be written to."""


class HarmonizerWarning(UserWarning):
    """Something was done that the caller may not expect; the result is valid all the same."""


class OldNameWarning(HarmonizerWarning):
    """A name that this version still understands and a later one will not; the text says what it is called now."""
