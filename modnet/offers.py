"""What is on offer: who offers which name, and why another is none. Nothing here imports a plugin.

One scan of the installed distributions serves the whole process; what follows from it is remembered until it changes.
"""

import pkgutil
import threading
from abc import ABC, abstractmethod
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
from modnet.errors import RegistryError, UnknownComponentError
from modnet.words import suggestions

_Found = TypeVar("_Found")
_ALLOWED: ContextVar[frozenset[str] | None] = ContextVar("allowed", default=None)


class Offers(ABC):
    """Names on offer, by kind: those of the installed distributions and those that this process has registered.

    Attributes
    ----------
    lock : threading.RLock
        Held while what is on offer is read or changed.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._bases: dict[str, type | str] = {}
        self._scanned: tuple[Entry, ...] | None = None
        self._book: dict[str, dict[str, tuple[Entry, ...]]] | None = None  # kind, name: who offers it
        self._told: set[str] = set()
        self._memo: dict[Any, Any] = {}

    @abstractmethod
    def registered(self) -> Iterable[Entry]:
        """Return the entries of the classes that this process has registered.

        Returns
        -------
        iterable of Entry
            They have no distribution.
        """

    def declare(self, kind: str, base: type | str) -> None:
        """Make a class what every class of a kind derives from.

        Parameters
        ----------
        kind : str
            Such as ``"layer"``.
        base : type or str
            The class, or where it is (``"module:Class"``).
        """
        self._bases[kind] = base
        self.forget(scan=True)

    def base(self, kind: str) -> Any:
        """Return the class that every class of a kind derives from.

        Parameters
        ----------
        kind : str
            One of `kinds`.

        Returns
        -------
        type
            Of components a subclass of `Component`.

        Examples
        --------
        >>> from modnet.registry import registry
        >>> registry.base("layer").__name__
        'Module'
        """
        base = self._bases[kind]
        return pkgutil.resolve_name(base) if isinstance(base, str) else base

    @property
    def kinds(self) -> tuple[str, ...]:
        """The declared kinds, such as ``"layer"`` and ``"activation"``."""
        return tuple(self._bases)

    def entries(self, kind: str | None = None) -> tuple[Entry, ...]:
        """Return everything on offer, sorted by kind, name and distribution, ours first.

        Parameters
        ----------
        kind : str, optional
            Default: all of them.

        Returns
        -------
        tuple of Entry
            Empty for a kind that nobody offers anything for.
        """
        kinds = [kind] if kind is not None else sorted(self._names())
        return tuple(entry for each in kinds for found in self._names().get(each, {}).values() for entry in found)

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the bare names of a kind.

        Parameters
        ----------
        kind : str
            One of `kinds`.

        Returns
        -------
        tuple of str
            Sorted.

        Examples
        --------
        >>> from modnet.registry import registry
        >>> "dense" in registry.names("layer")
        True
        """
        return tuple(self._names().get(kind, {}))

    def misnamed(self) -> tuple[Entry, ...]:
        """Return what distributions list under names that are not snake_case.

        Returns
        -------
        tuple of Entry
            They are not on offer.
        """
        self._names()
        return tuple(entry for entry in self._scanned or () if not NAME.fullmatch(entry.name))

    def find(self, kind: str, name: str) -> Sequence[Entry]:
        """Return the entries that a name means.

        Parameters
        ----------
        kind : str
            One of `kinds`.
        name : str
            Bare, or qualified by a distribution (see `Registry.get`).

        Returns
        -------
        sequence of Entry
            Of a bare standard name that one alone, otherwise one for each that offers it; empty if nobody does.
        """
        distribution, qualified, bare = name.rpartition(":")
        found = self._names().get(kind, {}).get(bare, ())
        if not qualified:
            return found[:1] if found and found[0].standard else found
        return [entry for entry in found if normalized(entry.distribution) == normalized(distribution)]

    def name_of_entry(self, entry: Entry) -> str:
        """Return the name that leads to an entry wherever its kind is taken.

        It is the bare one of a standard component, and ``"acme-layers:relu"`` of another distribution's, even where
        nobody else offers it: what is written today means the same when another plugin of that name is installed. A
        class that this process has registered has its bare name, or ``":relu"`` where others have that, too.

        Parameters
        ----------
        entry : Entry
            One of `entries`.

        Returns
        -------
        str
            As files and specs say it.
        """
        others = [other for names in self._names().values() for other in names.get(entry.name, ()) if other != entry]
        bare = entry.standard or not (entry.distribution or others)
        return entry.name if bare else f"{entry.distribution}:{entry.name}"

    @contextmanager
    def allowing(self, distributions: Iterable[str] | None) -> Iterator[None]:
        """Let names lead to some distributions only, and to modnet-layers, inside a ``with``.

        It holds for the present thread and task. What the process itself has registered is allowed.

        Parameters
        ----------
        distributions : iterable of str, optional
            None: all of them.

        Yields
        ------
        None
            Nothing.

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

    def is_news(self, text: str) -> bool:
        """Return whether nobody has asked this of a text since what is on offer has changed: to warn once.

        Parameters
        ----------
        text : str
            What there is to say.

        Returns
        -------
        bool
            False from the second time on.
        """
        before = text in self._told
        self._told.add(text)
        return not before

    def remembered(self, key: Hashable, find: Callable[[], _Found]) -> _Found:
        """Return what a function returns, or has returned before while the same was on offer.

        Parameters
        ----------
        key : hashable
            What the answer depends on; with one that has no hash after all, the function is called each time.
        find : callable
            Takes nothing.

        Returns
        -------
        object
            Its answer.
        """
        self._names()
        memo = self._memo if _ALLOWED.get() is None else {}
        try:
            if key in memo:
                return memo[key]  # type: ignore[no-any-return]
        except TypeError:
            return find()
        self._memo = {} if len(self._memo) > 512 else self._memo
        return memo.setdefault(key, find())  # type: ignore[no-any-return]

    def forget(self, *, scan: bool = False) -> None:
        """Forget what is on offer: it is put together anew when it is next asked for.

        Parameters
        ----------
        scan : bool
            Whether the distributions are read anew, too.
        """
        with self.lock:
            self._book, self._scanned = None, None if scan else self._scanned

    def _names(self) -> dict[str, dict[str, tuple[Entry, ...]]]:
        """Return by kind, and in it by name, both sorted, who offers it, modnet-layers first."""
        with self.lock:
            if self._book is None:
                if self._scanned is None:
                    self._scanned = tuple(scan(self._bases))
                book: dict[str, dict[str, tuple[Entry, ...]]] = {}
                known = [entry for entry in (*self._scanned, *self.registered()) if NAME.fullmatch(entry.name)]
                for entry in sorted(known, key=lambda e: (e.kind, e.name, not e.standard, e.distribution)):
                    of_kind = book.setdefault(entry.kind, {})
                    of_kind[entry.name] = (*of_kind.get(entry.name, ()), entry)
                self._book, self._told, self._memo = book, set(), {}
            return self._book


def allowed(found: Sequence[Entry]) -> Sequence[Entry]:
    """Return the entries that may be used here.

    Parameters
    ----------
    found : sequence of Entry
        At least one.

    Returns
    -------
    sequence of Entry
        All of them outside of `Offers.allowing`; at least one.

    Raises
    ------
    RegistryError
        If all are from distributions that are not allowed.
    """
    names = _ALLOWED.get()
    if names is None:
        return found
    kept = [entry for entry in found if not entry.distribution or normalized(entry.distribution) in names]
    if not kept:
        raise RegistryError(
            f"{found[0]} is not allowed here, only what comes from {', '.join(sorted(names))}: add "
            f"{found[0].distribution!r} to the allow list if you trust it"
        )
    return kept


def unknown(offers: Offers, kinds: Sequence[str], name: str) -> UnknownComponentError:
    """Return the error that says why there is no such name, and which may be meant.

    Parameters
    ----------
    offers : Offers
        Where it was looked up.
    kinds : sequence of str
        Of which kinds it might have been, at least one.
    name : str
        As somebody wrote it.

    Returns
    -------
    UnknownComponentError
        To be raised.
    """
    known = [each for kind in kinds for each in offers.names(kind)]
    qualified = [f"{e.distribution}:{e.name}" for e in offers.entries() if e.kind in kinds]
    close = suggestions(name, qualified if ":" in name else known)
    elsewhere = [kind for kind in offers.kinds if kind not in kinds and offers.find(kind, name)]
    lines = [f"unknown {' or '.join(kinds)} {name!r}"]
    if elsewhere:
        lines.append(f"there is {article(elsewhere[0])} of that name")
    lines += [f"did you mean {close[0]!r}?"] if close else []
    lines += [f"close to it: {', '.join(close[1:])}"] if close[1:] else []
    for entry in (each for each in offers.misnamed() if each.kind in kinds):
        if name.rpartition(":")[2] in (entry.name, snake_case(entry.name)):
            lines.append(f"{entry} is not offered: {NAMES}")
    lines.append(f"`modnet components {kinds[0]}` lists all {len(offers.names(kinds[0]))}")
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
    return UnknownComponentError("; ".join(lines).replace("?;", "?"))
