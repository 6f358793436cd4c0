"""How good a model is: cases, measured one by one against baselines, and the report of them."""
