"""Which name may be meant: by its letters, or because another library calls it so.

It lies at the bottom, beside the text: errors of specs, components and estimators end with what it finds.
"""

import difflib
import re
from collections.abc import Iterable

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

    Parameters
    ----------
    name : str
        A parameter, as another library or modnet has it elsewhere.

    Returns
    -------
    str
        A sentence without its stop.

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
