"""What tools that ask an estimator for its state are given, skops and with it MLflow: a model file.

pickle, copy and joblib, which ask how to make the object again, are given its attributes, as of any other estimator.
"""

from contextlib import suppress
from copyreg import __newobj__  # type: ignore[attr-defined]  # where pickle looks for it
from io import BytesIO
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from modnet.errors import ModelFileError, ModNetError

_FILE = "model_file"


class Portable(BaseEstimator):  # type: ignore[misc]
    """An estimator that is, once fitted, of one type to those who want to know which types to trust: its own."""

    def __getstate__(self) -> dict[str, Any]:
        """Return the bytes of a model file; the attributes, of which none may get lost, where it cannot hold them."""
        from modnet.estimators import persistence  # which knows the estimators

        if not persistence.keeps_back(self):
            with suppress(ModNetError, NotFittedError):
                return {_FILE: persistence.to_bytes(self)}
        attributes: dict[str, Any] = super().__getstate__()
        return attributes

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Become what the state describes; a model file is checked as `modnet.load` does."""
        if _FILE not in state:
            super().__setstate__(state)
            return
        from modnet.estimators import persistence

        model = persistence.read(BytesIO(state[_FILE]))
        if type(model) is not type(self):
            raise ModelFileError(f"this should be the file of a {type(self).__name__}, got a {type(model).__name__}")
        super().__setstate__(vars(model))

    def __reduce__(self) -> Any:
        """Return how pickle and copy make the object again: from its attributes, which is exact and fast."""
        own = type(self).__getstate__ is not Portable.__getstate__  # of a class derived from this one
        return __newobj__, (type(self),), self.__getstate__() if own else super().__getstate__()
