"""The commands about spec files: the JSON Schema of all of them, what is wrong with one, and the layers of one."""

import argparse
import dataclasses
import json
import tomllib
from typing import Any

import numpy as np

from modnet import ModelSpec
from modnet.acceleration import accelerator_name, fused_parts, installed_accelerator
from modnet.base import Loss
from modnet.cli.shared import CommandError, add, complain, emit, write
from modnet.diagnosis.plugins import reason
from modnet.entries import OWN
from modnet.errors import InvalidSpecError, RegistryError, ShapeError
from modnet.files import write_whole
from modnet.network import Network
from modnet.network.summary import summarize
from modnet.registry import estimators, registry
from modnet.text import Table, counted


def schema_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``schema``."""
    add(parser, "--out", help="write it to a file")


def schema(args: argparse.Namespace) -> None:
    """Print the JSON Schema of spec files, with every installed plugin.

    An editor that knows the schema completes and checks spec files while they are written. In VS Code, for example, add
    it to "json.schemas" in the settings; in a TOML file, a first line "#:schema modnet.schema.json" does it.
    """
    text = json.dumps(ModelSpec.json_schema(), indent=2, ensure_ascii=False, allow_nan=False)
    for entry, cls in registry.classes():
        if isinstance(cls, RegistryError):
            complain("warning", f"{entry} is left out: {reason(cls)}")
    if args.out is None:
        write(text)
        return
    write_whole(args.out, lambda file: file.write(f"{text}\n".encode()))
    kinds = {kind: len(registry.entries(kind)) for kind in registry.kinds}
    numbers = ", ".join(counted(count, kind) for kind, count in kinds.items() if count)
    emit(args, {"file": str(args.out), "components": kinds}, f"{args.out}: written ({numbers})")


def validate_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``validate``."""
    add(parser, "spec", "--allow", "--features")
    add(parser, "--outputs", default=1, help="columns of the prediction (default: 1)")


def validate(args: argparse.Namespace) -> int:
    """Check a spec file, and say everything that is wrong with it.

    The exit status is 1 if something is. With --features the network is built too, which shows layers that do not fit
    each other.
    """
    problems: list[tuple[str, str]] = []
    try:
        spec = ModelSpec.load(args.spec, allow=args.allow)
        if args.features:
            _network(spec, args)
    except InvalidSpecError as error:
        problems = list(dict.fromkeys([*error.problems, *_hidden(args, error)]))
    except ShapeError as error:
        problems = [("", str(error))]
    text = f"{args.spec}: valid"
    if problems:
        rows = [(path or "(all of it)", problem) for path, problem in problems]
        text = f"{args.spec}: {counted(len(problems), 'problem')}\n\n{Table(['path', 'problem'], rows)}"
    named = [{"path": path, "problem": problem} for path, problem in problems]
    emit(args, {"file": str(args.spec), "valid": not problems, "problems": named}, text)
    return 1 if problems else 0


def _hidden(args: argparse.Namespace, error: InvalidSpecError) -> tuple[tuple[str, str], ...]:
    """Return the problems that come to light once `requires`, which is checked before anything else, is put right."""
    if not all(path.partition(".")[0] in ("requires", "spec_version") for path, _ in error.problems):
        return ()
    text = args.spec.read_text(encoding="utf-8")
    fields: dict[str, Any] = tomllib.loads(text) if args.spec.suffix == ".toml" else json.loads(text)
    try:
        ModelSpec.from_dict({**fields, "requires": {}, "spec_version": 1}, allow=args.allow)
    except InvalidSpecError as other:
        return other.problems
    return ()


def _network(spec: ModelSpec, args: argparse.Namespace) -> Network:
    """Return the network of a spec for as many columns of predictions as the arguments say."""
    width = spec.loss.width(args.outputs) if isinstance(spec.loss, Loss) else args.outputs
    return spec.network((args.features,), width)


def summary_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``summary``."""
    add(parser, "spec", "--allow")
    add(parser, "--features", "--outputs", required=True)


def summary(args: argparse.Namespace) -> None:
    """Print the layers of a spec with their shapes, parameters and multiply-adds.

    Where an accelerator is installed, its name marks the layers that it runs, and "–" those that run in NumPy.
    """
    spec, accelerator = ModelSpec.load(args.spec, allow=args.allow), installed_accelerator()
    network, loss = _network(spec, args), spec.loss if isinstance(spec.loss, Loss) else None
    name = accelerator_name(accelerator)
    run = fused_parts(network, accelerator, np.dtype(float), name=name, loss=loss, optimizer=spec.optimizer)
    found = summarize(network, run)
    data = {
        "input_shape": found.input_shape,
        "layers": [dataclasses.asdict(row) for row in found.rows],
        "parameters": found.parameters,
        "state": found.state,
        "multiply_adds": found.multiply_adds,
        "accelerator": run.accelerator,
        "loss": {"class": run.loss, "fused": run.loss_is_fused} if run.loss else None,
        "optimizer": {"class": run.optimizer, "fused": run.optimizer_is_fused},
    }
    emit(args, data, str(found))


def new_spec_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``new-spec``."""
    add(parser, "spec", help="the file to write, a .json file")
    add(parser, "--estimator", help="the registered estimator whose defaults to write (default: modnet's own)")


def new_spec(args: argparse.Namespace) -> None:
    """Write a spec file with the defaults of an estimator, to change and to train.

    The command train takes it. The command describe says what each component and each of its fields means.
    """
    if args.spec.exists():
        raise CommandError(f"{args.spec} is there already: choose another name")
    spec = estimators.get("estimator", args.estimator or f"{OWN}:classifier")().to_spec()
    spec.save(args.spec)
    told = f"{args.spec}: written. Next:\n\n    modnet train {args.spec} DATA --target COL --out MODEL"
    emit(args, {"file": str(args.spec), "spec": spec.to_dict()}, told)
