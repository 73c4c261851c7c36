"""How sure a number is: everything here resamples, or reasons about, whole classes.

Items of one class share their difficulty, so queries and pairs are not independent trials. The unit that is
drawn again is the class (or whatever unit the caller asks for), and what is computed follows from sums per
class, never from the queries.
"""
