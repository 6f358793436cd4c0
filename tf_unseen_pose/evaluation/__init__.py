"""How good a model is: pairs, measured one by one against baselines, and the report of them."""
