"""The zoo, weights, scoring and fine-tuning; no study is known here."""
