"""The registry of components: a name and a kind lead to a class, through entry points.

Nothing is scanned or imported until a name is asked for; then one scan serves the whole process and one lookup
imports one plugin, so that a plugin that fails to import takes nothing else down with it.
"""

import dis
import importlib.metadata
import inspect
import pkgutil
import re
import threading
import traceback
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from modnet.entries import (
    DISABLE,
    NAME,
    NAMES,
    OWN,
    Entry,
    article,
    group_of,
    normalized,
    plugins_off,
    scan,
    snake_case,
)
from modnet.errors import (
    AmbiguousComponentError,
    BrokenPluginError,
    RegistryError,
    UnknownComponentError,
    WrongKindError,
)
from modnet.text import suggestions

_Found = TypeVar("_Found")
_ALLOWED: ContextVar[frozenset[str] | None] = ContextVar("allowed", default=None)


class Registry:
    """Names of components, by kind.

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
        self._lock = threading.RLock()
        self._bases: dict[str, type | str] = {}
        self._scanned: tuple[Entry, ...] | None = None
        self._book: dict[str, dict[str, tuple[Entry, ...]]] | None = None  # kind, name: who offers it
        self._registered: dict[Entry, type] = {}
        self._loaded: dict[Entry, type] = {}
        self._failed: dict[Entry, BaseException] = {}
        self._told: set[str] = set()
        self._memo: dict[Any, Any] = {}

    # Kinds

    def declare(self, kind: str, base: type | str) -> None:
        """Make `base`, a class or where it is ("module:Class"), what every class of `kind` derives from."""
        self._bases[kind] = base
        self._scanned = self._book = None

    def base(self, kind: str) -> Any:
        """Return the class that every class of `kind` derives from: of components a subclass of `Component`."""
        base = self._bases[kind]
        return pkgutil.resolve_name(base) if isinstance(base, str) else base

    @property
    def kinds(self) -> tuple[str, ...]:
        """The declared kinds: ``"layer"``, ``"activation"``, …"""
        return tuple(self._bases)

    # Looking up

    def entries(self, kind: str | None = None) -> tuple[Entry, ...]:
        """Return everything on offer, sorted by kind, name and distribution, ours first; imports no plugin."""
        kinds = [kind] if kind is not None else sorted(self._names())
        return tuple(entry for each in kinds for found in self._names().get(each, {}).values() for entry in found)

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names of `kind`, sorted; imports no plugin."""
        return tuple(self._names().get(kind, {}))

    def misnamed(self) -> tuple[Entry, ...]:
        """Return what distributions list under names that are not snake_case: it is not on offer."""
        self._names()
        return tuple(entry for entry in self._scanned or () if not NAME.fullmatch(entry.name))

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
        """
        kinds = (kind,) if isinstance(kind, str) else tuple(kind)
        found = [entries for one in kinds if (entries := self._find(one, name))]
        if not found:
            raise UnknownComponentError(self._unknown(kinds, name))
        standard = (entries for entries in found if entries[0].standard)
        return self._load(_only(_allowed(next(standard, found[0])), name))

    def classes(self, kind: str | None = None, package: str = "") -> Iterator[tuple[Entry, Any]]:
        """Yield what is on offer, of a kind or a package, with its class, or the RegistryError that says why not."""
        for entry in self.entries(kind):
            if not package or re.split("[.:]", entry.value)[0] == package:
                try:
                    yield entry, self._load(entry)
                except RegistryError as error:
                    yield entry, error

    def name_of(self, cls: type) -> str | None:
        """Return the name by which files and specs say `cls`, see `name_of_entry`; None if it has none."""
        entry = self.entry_of(cls)
        return None if entry is None else self.name_of_entry(entry)

    def name_of_entry(self, entry: Entry) -> str:
        """Return the name that leads to an entry wherever its kind is taken; imports nothing.

        It is the bare one of a standard component, and ``"acme-layers:relu"`` of another distribution's, even where
        nobody else offers it: what is written today means the same when another plugin of that name is installed. A
        class that this process has registered has its bare name, or ``":relu"`` where others have that, too.
        """
        others = [other for names in self._names().values() for other in names.get(entry.name, ()) if other != entry]
        bare = entry.standard or not (entry.distribution or others)
        return entry.name if bare else f"{entry.distribution}:{entry.name}"

    def entry_of(self, cls: type) -> Entry | None:
        """Return the entry that leads to `cls`, or None."""
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

    @contextmanager
    def allowing(self, distributions: Iterable[str] | None) -> Iterator[None]:
        """Let names lead to these distributions only, and to modnet-layers, inside a ``with``; None: to all.

        It holds for the present thread and task. What the process itself has registered is allowed.

        Examples
        --------
        >>> from modnet.registry import registry
        >>> with registry.allowing(["acme-layers"]):
        ...     registry.get("activation", "relu").__name__
        'ReLU'
        """
        names = None if distributions is None else frozenset(map(normalized, (OWN, *distributions)))
        token = _ALLOWED.set(names)
        try:
            yield
        finally:
            _ALLOWED.reset(token)

    # Registering

    def register(self, cls: Any, name: str | None = None, *, override: bool = False) -> Any:
        """Give a class a name in this process; see `modnet.register`."""
        kind = getattr(cls, "kind", None)
        if not isinstance(cls, type) or kind not in self._bases:
            raise WrongKindError(f"register needs a subclass of Module, Activation, Loss, …, got {cls!r}")
        name = snake_case(cls.__name__) if name is None else name
        if not NAME.fullmatch(name):
            raise RegistryError(f"{NAMES}, got {name!r}")
        entry = Entry(kind, name, f"{cls.__module__}:{cls.__qualname__}")
        self._check(entry, cls)
        with self._lock:
            # Layers and activations fit the same slots: the name of a standard one is taken for the other kind, too.
            mine, bases = self.base(kind), {each: self.base(each) for each in self._bases}
            akin = [each for each, base in bases.items() if issubclass(base, mine) or issubclass(mine, base)]
            found = [other for each in akin for other in self._find(each, name)]
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
            self._book = None
        return cls

    def unregister(self, cls: Any) -> None:
        """Take back the names that this process has given to a class; without any there is nothing to do."""
        with self._lock:
            self._registered = {entry: each for entry, each in self._registered.items() if each is not cls}
            self._book = None

    def refresh(self) -> None:
        """Forget the scan and every failed import; the next lookup reads the entry points anew."""
        with self._lock:
            self._scanned = self._book = None
            self._loaded.clear()
            self._failed.clear()

    def is_news(self, text: str) -> bool:
        """Return whether nobody has asked this of a text since what is on offer has changed: to warn once."""
        before = text in self._told
        self._told.add(text)
        return not before

    def remembered(self, key: Hashable, find: Callable[[], _Found]) -> _Found:
        """Return what `find` returns, or returned before on the same offers; for a key without a hash, found anew."""
        self._names()
        memo = self._memo if _ALLOWED.get() is None else {}
        try:
            if key in memo:
                return memo[key]  # type: ignore[no-any-return]
        except TypeError:
            return find()
        self._memo = {} if len(self._memo) > 512 else self._memo
        return memo.setdefault(key, find())  # type: ignore[no-any-return]

    # Inside

    def _find(self, kind: str, name: str) -> Sequence[Entry]:
        """Return the entries that a possibly qualified name means: of a bare standard name that one alone."""
        distribution, qualified, bare = name.rpartition(":")
        found = self._names().get(kind, {}).get(bare, ())
        if not qualified:
            return found[:1] if found and found[0].standard else found
        return [entry for entry in found if normalized(entry.distribution) == normalized(distribution)]

    def _names(self) -> dict[str, dict[str, tuple[Entry, ...]]]:
        """Return by kind, and in it by name, both sorted, who offers it, modnet-layers first."""
        with self._lock:
            if self._book is None:
                if self._scanned is None:
                    self._scanned = tuple(scan(self._bases))
                book: dict[str, dict[str, tuple[Entry, ...]]] = {}
                known = [entry for entry in (*self._scanned, *self._registered) if NAME.fullmatch(entry.name)]
                for entry in sorted(known, key=lambda e: (e.kind, e.name, not e.standard, e.distribution)):
                    of_kind = book.setdefault(entry.kind, {})
                    of_kind[entry.name] = (*of_kind.get(entry.name, ()), entry)
                self._book, self._told, self._memo = book, set(), {}
            return self._book

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
            self._check(entry, found)
            self._loaded[entry] = found
        return found

    def _check(self, entry: Entry, cls: object) -> None:
        base = self.base(entry.kind)
        if not (isinstance(cls, type) and issubclass(cls, base)):
            found = cls.__name__ if isinstance(cls, type) else repr(cls)
            raise WrongKindError(f"{entry} is {found}, which does not derive from modnet.{base.__name__}")
        if getattr(cls, "kind", None) != entry.kind:
            raise WrongKindError(f"{entry} is of kind {cls.kind!r}: register it under {group_of(cls.kind)}")  # type: ignore[attr-defined]
        if inspect.isabstract(cls):
            missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
            raise WrongKindError(f"{entry} is abstract: it still has to define {missing}")

    def _unknown(self, kinds: tuple[str, ...], name: str) -> str:
        known = [each for kind in kinds for each in self.names(kind)]
        qualified = [f"{e.distribution}:{e.name}" for e in self.entries() if e.kind in kinds]
        close = suggestions(name, qualified if ":" in name else known)
        elsewhere = [kind for kind in self._bases if kind not in kinds and self._find(kind, name)]
        lines = [f"unknown {' or '.join(kinds)} {name!r}"]
        if elsewhere:
            lines.append(f"there is {article(elsewhere[0])} of that name")
        lines += [f"did you mean {close[0]!r}?"] if close else []
        lines += [f"close to it: {', '.join(close[1:])}"] if close[1:] else []
        for entry in (each for each in self.misnamed() if each.kind in kinds):
            if name.rpartition(":")[2] in (entry.name, snake_case(entry.name)):
                lines.append(f"{entry} is not offered: {NAMES}")
        lines.append(f"`modnet components {kinds[0]}` lists all {len(self.names(kinds[0]))}")
        if plugins_off():
            lines.append(f"{DISABLE} has switched off all names but modnet's own")
        if close:
            lines.append(f"names come from entry points in {', '.join(map(group_of, kinds))}")
        else:
            lines.append(
                f'a distribution offers a name by a line under [project.entry-points."{group_of(kinds[0])}"], and none '
                "installed here offers this one (install the plugin that does; a name given to modnet.register is "
                "known to its own process only, so pass instances to joblib's workers)"
            )
        return "; ".join(lines).replace("?;", "?")


def _allowed(found: Sequence[Entry]) -> Sequence[Entry]:
    """Return the entries of distributions that are allowed."""
    names = _ALLOWED.get()
    if names is None:
        return found
    allowed = [entry for entry in found if not entry.distribution or normalized(entry.distribution) in names]
    if not allowed:
        raise RegistryError(
            f"{found[0]} is not allowed here, only what comes from {', '.join(sorted(names))}: add "
            f"{found[0].distribution!r} to the allow list if you trust it"
        )
    return allowed


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
