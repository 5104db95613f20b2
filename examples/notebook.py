"""A day in a notebook
===================

From a table to a network that is understood, cell by cell, with the tables and pictures that a notebook shows. This
page was executed when the site was built; the file behind "Download Jupyter notebook" has the same cells. Run as a
script it prints the score alone.
"""

# %%
# The data
# --------
# A data frame with text, gaps and numbers of any size.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import modnet
from modnet import ModNetRegressor, TrainingCurveDisplay
from modnet.inspection import AttributionDisplay

rng = np.random.default_rng(0)
flats = pd.DataFrame(
    {
        "town": rng.choice(["Bonn", "Rome", "Ulm"], 1500),
        "area": rng.integers(20, 180, 1500),
        "built": rng.choice([1930, 1975, 2010, np.nan], 1500),
        "to_centre": rng.exponential(3000, 1500),
    }
)
price = flats["town"].map({"Bonn": 2700, "Rome": 3800, "Ulm": 2300}) * flats["area"] * rng.normal(1, 0.1, 1500)
flats.head()

# %%
# A network
# ---------
# An estimator shows its layers; after `fit` with their shapes.

model = ModNetRegressor((64, "dropout", 32), random_state=0).set_params(layers__1__rate=0.1)
model.fit(flats[:1000], price[:1000])

# %%
# What its layers make of the columns, how many parameters they have and what they cost:

model.summary()

# %%
# How was it trained?
# -------------------

TrainingCurveDisplay.from_estimator(model)
plt.show()

# %%
# Is anything wrong with it?

modnet.diagnose(model, flats[:1000], price[:1000])

# %%
# What is it worth on flats that it has not seen?

print(f"R² {model.score(flats[1000:], price[1000:]):.2f}")

# %%
# What does it go by?
# -------------------
# Gradients along the way from other flats to these, in the columns of the table.

AttributionDisplay.from_estimator(model, flats[1000:1200], flats[:200], random_state=0)
plt.show()

# %%
# One pass, link by link
# ----------------------
# Every quantity forward and backward, for ten rows.

modnet.trace(model, flats[:10], price[:10])

# %%
# And central differences beside the gradients:

modnet.trace(model, flats[:10], price[:10]).check()
