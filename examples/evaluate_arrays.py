"""Photos of one session are near-duplicates: finding one by another says nothing. Evaluate with and without them.

Run it: python examples/evaluate_arrays.py
"""

import numpy as np

import tripleteval as te

random = np.random.default_rng(0)
people, sessions, shots = 60, 3, 2

# Every person is photographed twice in each of three sessions; what a session adds is the same for both shots.
person, session, _ = (axis.ravel() for axis in np.indices((people, sessions, shots)))
vectors = random.normal(size=(people, 32))[person]
vectors = vectors + 0.9 * random.normal(size=(people * sessions, 32))[person * sessions + session]
vectors = vectors + 0.2 * random.normal(size=vectors.shape)

photos = te.Embeddings(vectors, person, groups=session, name="photos")
everything = te.evaluate(photos, distance="cosine", ks=(1, 5), margins=(0.1,))
other_sessions = te.evaluate(photos, distance="cosine", ks=(1, 5), margins=(0.1,), ignore="group")

print(f"{'metric':30}{'all photos':>12}{'other sessions':>16}{'chance':>9}")
for spelling in ("hit_rate@1", "recall@5", "map@r", "triplet_accuracy", "triplet_satisfied@margin=0.1"):
    chance = other_sessions.metrics[spelling].get("chance")
    shown = "" if chance is None else f"{chance:9.3f}"
    print(f"{spelling:30}{everything[spelling]:12.3f}{other_sessions[spelling]:16.3f}{shown}")
print(f"{other_sessions.to_dict()['accounting']['ignored_pairs']:,} pairs of photos of one session were ignored.")
