"""Training: settings, mini-batches, the loop, and when to stop."""

from modnet.training.batches import Data
from modnet.training.loop import Trainer
from modnet.training.monitor import History
from modnet.training.settings import TrainingSettings
from modnet.training.stages import train_in_stages

__all__ = ["Data", "History", "Trainer", "TrainingSettings", "train_in_stages"]
