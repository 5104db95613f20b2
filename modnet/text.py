"""Text for people: tables, facts by name, paragraphs that fit the terminal, and which name may be meant.

It lies at the bottom, beside the files: summaries, the diagnosis and the command print through it.
"""

import difflib
import re
import shutil
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

Row = Sequence[str]
"""The cells of a row in a table."""


def width() -> int:
    """Return how many columns a text may fill: those of the terminal, from 60 to 120.

    Returns
    -------
    int
        From 60 to 120; 100 where there is no terminal.
    """
    return min(max(shutil.get_terminal_size((100, 24)).columns, 60), 120)


def wrapped(text: str, first: str = "", indent: str | None = None) -> str:
    """Return a paragraph wrapped to the terminal, with `first` in front and `indent` before its other lines.

    Parameters
    ----------
    text : str
        Words; how they are broken into lines does not matter.
    first : str
        What stands before the first line.
    indent : str, optional
        Default: blanks, as many as `first` has characters.

    Returns
    -------
    str
        One line or several.

    Examples
    --------
    >>> wrapped("the loss is inf", "problem  ")
    'problem  the loss is inf'
    """
    rest = " " * len(first) if indent is None else indent
    wrapper = textwrap.TextWrapper(width(), first, rest, break_on_hyphens=False, break_long_words=False)
    return wrapper.fill(" ".join(text.split())) or first.rstrip()


def filled(text: str, indent: str = "") -> str:
    """Return paragraphs, which blank lines separate, each wrapped with `indent` below its first line.

    Parameters
    ----------
    text : str
        Paragraphs; how they are broken into lines does not matter.
    indent : str
        What stands before all lines of a paragraph but its first.

    Returns
    -------
    str
        The same text in lines that fit the terminal.
    """
    return "\n\n".join(wrapped(paragraph, indent=indent) for paragraph in text.strip().split("\n\n"))


def facts(pairs: Iterable[tuple[str, str]], indent: str = "", *, wrap: bool = True) -> str:
    """Return a line for each name and what there is to say of it, the names in a column of their own.

    Parameters
    ----------
    pairs : iterable of (str, str)
        A name, and what there is to say of it.
    indent : str
        What stands before each name.
    wrap : bool
        Whether lines end where the terminal does.

    Returns
    -------
    str
        As many lines as there are pairs, or more if they are wrapped.

    Examples
    --------
    >>> print(facts([("data", "iris.csv"), ("features", "4")]))
    data      iris.csv
    features  4
    """
    pairs = list(pairs)
    size = max((len(name) for name, _ in pairs), default=0) + 2
    named = [(f"{indent}{name:<{size}}", text) for name, text in pairs]
    return "\n".join(wrapped(text, name) if wrap else name + text for name, text in named)


@dataclass(frozen=True)
class Table:
    """Rows under headings: `str` gives the text, `html` what notebooks show.

    Parameters
    ----------
    header : sequence of str
        The headings.
    rows : sequence of sequences of str
        As many cells in each as there are headings.
    right : sequence of str
        The columns, by their headings, that are aligned to the right.
    foot : sequence of str
        A last row, below a rule; none if it is empty.
    wrap : bool
        Whether the last column of the text is wrapped where the terminal ends.

    Examples
    --------
    >>> print(Table(["name", "range"], [["units", "≥ 1"], ["use_bias", "true, false"]]))
    name      range
    ─────────────────────
    units     ≥ 1
    use_bias  true, false
    """

    header: Row
    rows: Sequence[Row]
    right: Row = ()
    foot: Row = ()
    wrap: bool = True

    def __str__(self) -> str:
        """Return the table as text."""
        feet = [self.foot] if self.foot else []
        widths = [max(map(len, column)) for column in zip(self.header, *self.rows, *feet, strict=True)]
        if self.wrap:
            left = sum(widths[:-1]) + 2 * (len(widths) - 1)
            widths[-1] = max(min(widths[-1], width() - left), 20)

        def line(cells: Row) -> str:
            named = zip(self.header, cells, widths, strict=True)
            placed = (cell.rjust(size) if name in self.right else cell.ljust(size) for name, cell, size in named)
            return "  ".join(placed).rstrip()

        def lines(cells: Row) -> list[str]:
            first, *others = (textwrap.wrap(cells[-1], widths[-1]) if self.wrap else cells[-1:]) or [""]
            return [line([*cells[:-1], first]), *(line([*[""] * (len(cells) - 1), other]) for other in others)]

        head, body = line(self.header), [text for row in self.rows for text in lines(row)]
        end = list(map(line, feet))
        rule = "─" * max(map(len, [head, *body, *end]))
        return "\n".join([head, rule, *body, *([rule, *end] if end else [])])

    def html(self) -> str:
        """Return the table as HTML in the colours around it; one that is wider than the page scrolls by itself.

        Returns
        -------
        str
            One element, whose cells are escaped.
        """
        from html import escape  # not needed to import modnet

        sides = ["right" if name in self.right else "left" for name in self.header]
        lines = ["pre"] * len(sides)
        if self.wrap:
            lines[-1] = "pre-wrap; min-width: 20em"

        def line(cells: Row, tag: str, rule: str = "") -> str:
            styles = (f"text-align: {side}; white-space: {kept}" for side, kept in zip(sides, lines, strict=True))
            row = (
                f'<{tag} style="{style}; vertical-align: top; padding: .2em .8em{rule}">{escape(cell)}</{tag}>'
                for style, cell in zip(styles, cells, strict=True)
            )
            return f"<tr>{''.join(row)}</tr>"

        rule = "; border-top: 1px solid"
        head, body = line(self.header, "th"), "".join(line(cells, "td") for cells in self.rows)
        foot = f"<tfoot>{line(self.foot, 'td', rule)}</tfoot>" if self.foot else ""
        table = f"<table><thead>{head}</thead><tbody>{body}</tbody>{foot}</table>"
        return f'<div style="overflow-x: auto">{table}</div>'


class Shown(ABC):
    """What prints as paragraphs and tables, and shows the same in notebooks."""

    between: ClassVar[str] = "\n\n"
    """What stands between two of them in the text."""

    @abstractmethod
    def paragraphs(self) -> Sequence[str | Table]:
        """Return the paragraphs and tables from top to bottom.

        Returns
        -------
        sequence of str or Table
            What `repr` and notebooks show.
        """

    def __repr__(self) -> str:
        """Return them as text."""
        return self.between.join(map(str, self.paragraphs()))

    def _repr_html_(self) -> str:
        """Return them as HTML."""
        from html import escape

        parts = self.paragraphs()
        return "".join(part.html() if isinstance(part, Table) else f"<p>{escape(part)}</p>" for part in parts)


def listed(items: Iterable[object], most: int = 3) -> str:
    """Return the first items of a list and how many more there are.

    Parameters
    ----------
    items : iterable
        Their `str` is what is listed.
    most : int
        How many at most, ≥ 1.

    Returns
    -------
    str
        They are separated by commas.

    Examples
    --------
    >>> listed(["age", "town", "job", "height", "income"])
    'age, town, job and 2 more'
    """
    names = [str(item) for item in items]
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    Parameters
    ----------
    number : int
        How many there are, ≥ 0.
    noun : str
        What they are, in the singular.

    Returns
    -------
    str
        Thousands are separated by commas.

    Examples
    --------
    >>> counted(1, "unit"), counted(2000, "unit"), counted(0, "loss")
    ('1 unit', '2,000 units', '0 losses')
    """
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


_WORDS = {
    # activations, and layers
    "silu": "swish",
    "hard_swish": "hardsilu",
    "identity": "linear passthrough none eye dirac",
    "sigmoid": "logistic expit",
    "relu": "rectifier rectifiedlinear",
    "leaky_relu": "lrelu",
    "relu_squared": "relu2 squaredrelu",
    "threshold": "thresholdedrelu",
    "exponential": "exp exponentiallr exponentialdecay",
    "sine": "sin siren",
    "dense": "linear lazylinear fc fullyconnected affine mlp perceptron",
    "batch_norm": "bn batchnormalization batchnorm1d",
    "layer_norm": "ln layernormalization groupnorm",
    "rms_norm": "rmsnormalization",
    "standardize": "normalization normalize normalizer standardscaler scaler zscore",
    "one_hot": "onehotencoder onehotencoding categoryencoding dummies",
    "residual": "skip shortcut resblock resnet add",
    "parallel": "concat concatenate branches",
    "gated_linear": "glu swiglu geglu reglu",
    "gaussian_noise": "noise",
    "multi_head_attention": "attention selfattention",
    # losses
    "squared_error": "mse l2 meansquarederror leastsquares halfsquarederror",
    "absolute_error": "mae l1 meanabsoluteerror",
    "huber": "smoothl1",
    "cross_entropy": "logloss bce bcewithlogits binarycrossentropy categoricalcrossentropy nll softmaxcrossentropy "
    "sparsecategoricalcrossentropy negativeloglikelihood deviance",
    "focal": "binaryfocalcrossentropy categoricalfocalcrossentropy",
    "hinge": "svm margin multimargin categoricalhinge",
    "poisson": "poissonnll",
    "quantile": "pinball",
    # optimizers, schedules, initializers
    "sgd": "momentum nesterov nag gd gradientdescent",
    "lbfgs": "bfgs lbfgsb",
    "adam": "amsgrad sparseadam",
    "cosine": "cosineannealing cosineannealinglr cosinedecay",
    "cosine_restarts": "cosineannealingwarmrestarts cosinedecayrestarts sgdr",
    "inverse_scaling": "invscaling inversetimedecay",
    "plateau": "reducelronplateau",
    "step": "steplr",
    "multi_step": "multisteplr piecewiseconstantdecay",
    "one_cycle": "onecyclelr",
    "polynomial": "polynomiallr polynomialdecay",
    "glorot_uniform": "glorot xavier xavieruniform",
    "glorot_normal": "xaviernormal",
    "he_uniform": "he kaiming kaiminguniform",
    "he_normal": "kaimingnormal variancescaling",
    "lecun_normal": "lecun",
    "normal": "randomnormal gaussian",
    "uniform": "randomuniform",
    "truncated_normal": "truncnormal",
    "non_negative": "nonneg",
    # fields, and parameters of estimators
    "learning_rate_init": "lr eta stepsize",
    "learning_rate": "lr eta stepsize learningrateinit",
    "rate": "p prob dropoutrate",
    "units": "outfeatures nunits size hiddendim hiddenunits hiddensize outputdim embeddingdim",
    "categories": "inputdim numembeddings vocabsize",
    "epsilon": "eps",
    "beta_1": "betas b1 momentum",
    "beta_2": "b2",
    "rho": "alpha",
    "quantiles": "alpha tau",
    "negative_slope": "alpha slope",
    "use_bias": "bias center",
    "use_scale": "affine elementwiseaffine scale",
    "stddev": "std sigma",
    "weight_decay": "wd l2",
    "kernel_initializer": "init weightinit weights",
    "schedule": "scheduler lrscheduler decay lrdecay powert",
    "clip_norm": "globalclipnorm gradclip gradientclipval maxgradnorm",
    "ema": "useema emamomentum",
    "max_iter": "epochs nepochs maxepochs numepochs nbepoch niter",
    "max_epochs": "epochs nepochs maxiter numepochs nbepoch niter",
    "layers": "hiddenlayersizes hiddendims hiddenunits hiddensizes nhidden module",
    "n_members": "nestimators ensemblesize",
    "hidden_layer_sizes": "layers units hiddendims hiddenunits hiddensizes",
    "optimizer": "solver optim",
    "solver": "optimizer optim",
    "loss": "criterion objective",
    "random_state": "seed randomseed",
    "n_iter_no_change": "patience earlystoppingrounds",
    "validation_fraction": "validationsplit valfraction testsize trainsplit",
    "batch_size": "batch minibatchsize",
    "activation": "activationfunction nonlinearity",
    "alpha": "l2 l2reg penalty",
}
"""What Keras, PyTorch or scikit-learn call what modnet calls so; small letters without underscores."""


_ELSEWHERE = {
    "alpha= and l1_ratio= of an estimator penalize weights, and weight_decay= of an optimizer shrinks them": "l1 l2 "
    "kernelregularizer biasregularizer activityregularizer recurrentregularizer regularizer weightdecay",
    "constraints are of weights, and biases have none": "biasconstraint",
    "X and y say how many there are": "infeatures inputdim inputshape inputsize numfeatures normalizedshape nfeatures "
    "noutputs nclasses",
    "a layer of its own does it, behind this one": "dropout dropoutrate batchnorm batchnormalization layernorm",
    "groups= of an optimizer freezes layers": "trainable requiresgrad",
    "dtype= of an estimator takes 'float32' or 'float64'": "dtype precision",
    "accelerator= of an estimator takes an installed one, such as modnet-numba's": "device backend engine",
    "max_iter= and tol= are an estimator's, or in the training= of a spec": "maxiter maxepochs epochs nepochs tol "
    "tolerancegrad tolerancechange",
    "random_state= of an estimator seeds it": "seed randomstate generator",
    "class_weight= of a classifier and sample_weight= of fit weigh classes and rows": "weight weights posweight "
    "classweight sampleweight",
    "losses take the raw output, which of classes is logits": "fromlogits",
    "losses are averaged over rows": "reduction sizeaverage",
    "an ensemble has it: TabularClassifier and TabularRegressor of modnet-tabular, as n_members=": "nestimators",
    "set_callbacks(…) takes them, as scikit-learn has it": "callback callbacks",
    "fit(X, y, X_val=…, y_val=…) takes them": "validationdata evalset xval yval",
    "a search has it; one fit takes the threads of BLAS": "njobs numworkers",
}
"""Who takes what is no field or argument there."""


def elsewhere(name: str) -> str:
    """Return who takes what people call so, if it is known; otherwise nothing.

    Examples
    --------
    >>> elsewhere("device"), elsewhere("units")
    ("accelerator= of an estimator takes an installed one, such as modnet-numba's", '')
    """
    return next((text for text, words in _ELSEWHERE.items() if _folded(name) in words.split()), "")


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


_CALLED: dict[str, list[str]] = {}
for _ours, _theirs in _WORDS.items():
    for _word in _theirs.split():
        _CALLED.setdefault(_word, []).append(_ours)


def suggestions(name: str, known: Iterable[str], most: int = 10) -> list[str]:
    """Return which of the known names may be meant, the likeliest first.

    Parameters
    ----------
    name : str
        As somebody wrote it, in any case.
    known : iterable of str
        What there is to choose from.
    most : int
        How many at most, ≥ 1.

    Returns
    -------
    list of str
        Of those that are known; empty where none comes near.

    Examples
    --------
    >>> suggestions("swish", ["mish", "silu"]), suggestions("ADAM", ["adamax", "adam"]), suggestions("qq", ["relu"])
    (['silu', 'mish'], ['adam', 'adamax'], [])
    """
    known, plain = tuple(known), name.lower()
    close = [] if elsewhere(name) else difflib.get_close_matches(plain, known, n=most)
    close.sort(key=lambda each: sorted(each) != sorted(plain))  # letters that changed places come first: "adma"
    folded = {_folded(name), _folded(name).removesuffix("loss"), _folded(name.rpartition("__")[2])}
    same = [each for each in known if _folded(each) in folded]
    called = [each for word in folded for each in _CALLED.get(word, ())]
    meant = [each for each in known if each.rpartition("__")[2] in called]
    return list(dict.fromkeys([*same, *meant, *close]))[:most]
