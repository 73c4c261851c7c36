"""The mergeable facts from which every metric follows.

Every evidence type obeys the same laws, tested once for all of them: ``empty`` is the identity on
both sides of ``merge``, ``merge`` is associative and commutative, cutting the gallery in two and
merging the halves changes nothing, and evidence pickles.
"""
