"""The registry of components: a name and a kind lead to a class, through entry points.

Nothing is imported until a name is asked for; then one lookup imports one plugin, so that a plugin that fails to import
takes nothing else down with it.
"""

import dis
import importlib.metadata
import inspect
import re
import traceback
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from modnet.entries import NAME, NAMES, Entry, group_of, snake_case
from modnet.errors import AmbiguousComponentError, BrokenPluginError, RegistryError, WrongKindError
from modnet.offers import Offers, allowed, unknown


class Registry(Offers):
    """Classes by kind and name.

    Examples
    --------
    >>> from modnet.registry import registry
    >>> registry.get("activation", "relu").__name__
    'ReLU'
    >>> registry.get("loss", "squared_eror")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    modnet.errors.UnknownComponentError: unknown loss 'squared_eror'; did you mean 'squared_error'? ...
    """

    def __init__(self) -> None:
        super().__init__()
        self._registered: dict[Entry, type] = {}
        self._loaded: dict[Entry, type] = {}
        self._failed: dict[Entry, BaseException] = {}

    def registered(self) -> Iterable[Entry]:
        """Return the entries of the classes that this process has registered.

        Returns
        -------
        iterable of Entry
            In the order in which they were registered.
        """
        return self._registered

    # Looking up

    def get(self, kind: str | Sequence[str], name: str) -> Any:
        """Return the class registered under a name.

        Parameters
        ----------
        kind : str or sequence of str
            Where to look. A standard name of any of them goes before another distribution's of an earlier kind;
            otherwise the first kind that has the name is taken.
        name : str
            ``"relu"``: the component of modnet-layers, if it offers one of that name, whoever else does;
            ``"acme-layers:relu"`` to say which distribution is meant, or ``":relu"`` for the one that this process
            registered.

        Returns
        -------
        type
            A concrete subclass of the kind's base.

        Raises
        ------
        UnknownComponentError, AmbiguousComponentError, BrokenPluginError, WrongKindError
            Each says what to do about it; all are a `RegistryError`.
        """
        kinds = (kind,) if isinstance(kind, str) else tuple(kind)
        found = [entries for one in kinds if (entries := self.find(one, name))]
        if not found:
            raise unknown(self, kinds, name)
        standard = (entries for entries in found if entries[0].standard)
        return self._load(_only(allowed(next(standard, found[0])), name))

    def classes(self, kind: str | None = None, package: str = "") -> Iterator[tuple[Entry, Any]]:
        """Yield what is on offer with its class, importing it.

        Parameters
        ----------
        kind : str, optional
            Default: all kinds.
        package : str
            Only what is in this package; default: in any.

        Yields
        ------
        entry : Entry
            Of the `entries`, in their order.
        cls : type or RegistryError
            The class, or the error that says why there is none.
        """
        for entry in self.entries(kind):
            if not package or re.split("[.:]", entry.value)[0] == package:
                try:
                    yield entry, self._load(entry)
                except RegistryError as error:
                    yield entry, error

    def name_of(self, cls: type) -> str | None:
        """Return the name by which files and specs say a class.

        Parameters
        ----------
        cls : type
            Any class.

        Returns
        -------
        str or None
            As `name_of_entry` has it; None if nobody offers the class.

        Examples
        --------
        >>> from modnet.registry import registry
        >>> registry.name_of(registry.get("layer", "dense")), registry.name_of(int)
        ('dense', None)
        """
        entry = self.entry_of(cls)
        return None if entry is None else self.name_of_entry(entry)

    def entry_of(self, cls: type) -> Entry | None:
        """Return the entry that leads to a class.

        Parameters
        ----------
        cls : type
            Any class.

        Returns
        -------
        Entry or None
            None if nobody offers the class.
        """
        return self.remembered(cls, lambda: self._entry_of(cls))

    def _entry_of(self, cls: type) -> Entry | None:
        kind = str(getattr(cls, "kind", ""))
        value = f"{cls.__module__}:{cls.__qualname__}"
        for entry in self.entries(kind):
            if self._registered.get(entry, self._loaded.get(entry)) is cls:
                return entry
        for entry in self.entries(kind):
            if entry.value == value and entry not in self._registered:
                return entry
        # The entry point may name a re-export (acme:Swish for acme._swish:Swish): only loading it tells.
        near = self.classes(kind, package=cls.__module__.partition(".")[0])
        return next((entry for entry, found in near if found is cls), None)

    # Registering

    def register(self, cls: Any, name: str | None = None, *, override: bool = False) -> Any:
        """Give a class a name in this process; `modnet.register` does so in the registry that has its kind.

        Parameters
        ----------
        cls : type
            A concrete subclass of the base of one of the `kinds`.
        name : str, optional
            Default: the class's name in snake_case.
        override : bool
            Whether a name that this process has registered before may change its class.

        Returns
        -------
        type
            The class itself.

        Raises
        ------
        RegistryError
            If the name is taken, a standard one or not snake_case, or the class is abstract or of no declared kind.
        """
        kind = getattr(cls, "kind", None)
        if not isinstance(cls, type) or kind not in self.kinds:
            raise WrongKindError(f"register needs a subclass of Module, Activation, Loss, …, got {cls!r}")
        name = snake_case(cls.__name__) if name is None else name
        if not NAME.fullmatch(name):
            raise RegistryError(f"{NAMES}, got {name!r}")
        entry = Entry(kind, name, f"{cls.__module__}:{cls.__qualname__}")
        _check(entry, cls, self.base(kind))
        with self.lock:
            # Layers and activations fit the same slots: the name of a standard one is taken for the other kind, too.
            mine, bases = self.base(kind), {each: self.base(each) for each in self.kinds}
            akin = [each for each, base in bases.items() if issubclass(base, mine) or issubclass(mine, base)]
            found = [other for each in akin for other in self.find(each, name)]
            taken = [other for other in found if other.standard or other.kind == kind]
            ours = [other for other in taken if other in self._registered]
            if taken and not (ours and (override or self._registered[ours[0]] is cls)):
                remedy = "register(..., override=True) replaces it" if ours else "choose another name"
                if taken[0].standard:
                    remedy = f"it always means the standard component, so {remedy}: register(..., 'my_{name}')"
                raise AmbiguousComponentError(f"{kind} {name!r} is taken: {taken[0]}; {remedy}")
            for other in ours:
                del self._registered[other]
            self._registered[entry] = cls
            self.forget()
        return cls

    def unregister(self, cls: Any) -> None:
        """Take back the names that this process has given to a class; without any there is nothing to do.

        Parameters
        ----------
        cls : type
            Any class.
        """
        with self.lock:
            self._registered = {entry: each for entry, each in self._registered.items() if each is not cls}
            self.forget()

    def refresh(self) -> None:
        """Forget the scan and every failed import; the next lookup reads the entry points anew."""
        with self.lock:
            self.forget(scan=True)
            self._loaded.clear()
            self._failed.clear()

    def _load(self, entry: Entry) -> type:
        # No lock around the import: Python has its own, and a plugin may come back here while it is imported.
        found = self._registered.get(entry) or self._loaded.get(entry)
        if found is None:
            try:
                if failure := self._failed.get(entry):
                    raise failure
                found = importlib.metadata.EntryPoint(entry.name, entry.value, group_of(entry.kind)).load()
            except BaseException as error:  # a module that exits must not take the process along
                if isinstance(error, KeyboardInterrupt) and not _is_raised(error):
                    raise
                self._failed[entry] = error
                raise BrokenPluginError(
                    f"{entry} failed to import: {type(error).__name__}: {error}. Other names keep working; "
                    f"repair or uninstall {entry.distribution}."
                ) from error
            _check(entry, found, self.base(entry.kind))
            self._loaded[entry] = found
        return found


def _check(entry: Entry, cls: object, base: type) -> None:
    """Refuse what an entry leads to if it is no concrete class of its kind."""
    if not (isinstance(cls, type) and issubclass(cls, base)):
        found = cls.__name__ if isinstance(cls, type) else repr(cls)
        raise WrongKindError(f"{entry} is {found}, which does not derive from modnet.{base.__name__}")
    if getattr(cls, "kind", None) != entry.kind:
        raise WrongKindError(f"{entry} is of kind {cls.kind!r}: register it under {group_of(cls.kind)}")  # type: ignore[attr-defined]
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
        raise WrongKindError(f"{entry} is abstract: it still has to define {missing}")


def _is_raised(error: BaseException) -> bool:
    """Return whether a line of code has raised an error: the interrupt of a Ctrl-C comes between any two."""
    (frame, _) = list(traceback.walk_tb(error.__traceback__))[-1]
    return frame.f_code.co_code[frame.f_lasti] == dis.opmap["RAISE_VARARGS"]


def _only(found: Sequence[Entry], name: str) -> Entry:
    """Return the one entry among those found, or say that the name is ambiguous."""
    if len({entry.value for entry in found}) > 1:
        claims = "; ".join(map(str, found))
        choices = " or ".join(repr(f"{entry.distribution}:{entry.name}") for entry in found)
        raise AmbiguousComponentError(f"{name!r} is offered more than once: {claims}. Write {choices}.")
    return found[0]


registry = Registry()
"""The components that this process knows."""

estimators = Registry()
"""The estimators that it knows: apart, because no spec holds one, and their base imports scikit-learn."""
estimators.declare("estimator", "modnet.estimators.parameters:NestedParameters")


def register(class_: Any, name: str | None = None, *, override: bool = False) -> Any:
    """Give a class a name in this process: for notebooks and scripts. Usable as a decorator.

    A packaged plugin registers through an entry point instead. Names given here do not reach joblib's worker
    processes; instances of the class do.

    Parameters
    ----------
    class_ : type
        A component's or an estimator's: a concrete subclass of one of the bases.
    name : str, optional
        Default: the class's name in snake_case (``LeakyReLU`` -> ``leaky_relu``).
    override : bool
        Whether a name that this process has registered before may change its class.

    Returns
    -------
    type
        `class_` itself.

    Raises
    ------
    RegistryError
        If the name is taken, a standard one or not snake_case, or the class is abstract or of no declared kind.
    """
    book = estimators if getattr(class_, "kind", None) in estimators.kinds else registry
    return book.register(class_, name, override=override)
