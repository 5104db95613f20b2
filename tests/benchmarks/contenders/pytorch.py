"""torch, eager: what its tutorials show, without a DataLoader, which would cost more than the net."""

from dataclasses import dataclass

import torch
from torch import nn

from benchmarks.contenders import Fit, Step
from benchmarks.problem import BETA_1, BETA_2, EPSILON, LEARNING_RATE, Array, Problem, Weights

ADAM = {"lr": LEARNING_RATE, "betas": (BETA_1, BETA_2), "eps": EPSILON, "fused": True}


class Net(nn.Sequential):
    """The net of a problem, with its first weights."""

    def __init__(self, problem: Problem) -> None:
        links: list[nn.Module] = []
        for W, b in problem.start:
            dense = nn.utils.skip_init(nn.Linear, *W.shape, dtype=torch.from_numpy(W).dtype)
            with torch.no_grad():
                dense.weight.copy_(torch.from_numpy(W.T))
                dense.bias.copy_(torch.from_numpy(b))
            links += [dense, nn.ReLU() if problem.case.activation == "relu" else nn.Sigmoid()]
        super().__init__(*links[:-1])


@dataclass(frozen=True)
class Trained:
    """A net that was trained."""

    net: nn.Sequential

    def weights(self) -> Weights:
        """Return its weights."""
        return [
            (link.weight.detach().numpy().T, link.bias.detach().numpy())
            for link in self.net
            if isinstance(link, nn.Linear)
        ]

    def predict(self, X: Array) -> Array:
        """Return classes."""
        with torch.inference_mode():
            raw = self.net(torch.from_numpy(X))
            return (raw[:, 0] > 0 if raw.shape[1] == 1 else raw.argmax(1)).numpy()


def loss_of(problem: Problem) -> nn.Module:
    """Return the cross-entropy on logits."""
    return nn.BCEWithLogitsLoss() if problem.case.outputs == 1 else nn.CrossEntropyLoss()


def truth(problem: Problem, X: Array, y: Array) -> torch.Tensor:
    """Return y as the loss takes it."""
    t = torch.from_numpy(y)
    return t[:, None].to(torch.from_numpy(X[:0]).dtype) if problem.case.outputs == 1 else t


def prepare(problem: Problem) -> Fit:
    """Return the loop."""
    torch.set_num_threads(problem.threads)
    case, loss = problem.case, loss_of(problem)

    def fit() -> Trained:
        X, t = torch.from_numpy(problem.X), truth(problem, problem.X, problem.y)
        net = Net(problem)
        optimizer = torch.optim.Adam(net.parameters(), **ADAM)
        for _ in range(case.epochs):
            for rows in torch.randperm(case.rows).split(case.batch_size):
                optimizer.zero_grad()
                loss(net(X.index_select(0, rows)), t.index_select(0, rows)).backward()
                optimizer.step()
        return Trained(net)

    return fit


def stream(problem: Problem, rows: int) -> Step:
    """Return one step of that loop."""
    torch.set_num_threads(problem.threads)
    net, loss = Net(problem), loss_of(problem)
    optimizer = torch.optim.Adam(net.parameters(), **ADAM)

    def step(X: Array, y: Array) -> None:
        optimizer.zero_grad()
        loss(net(torch.from_numpy(X)), truth(problem, X, y)).backward()
        optimizer.step()

    return step
