"""What can be found out from a saved run alone: each file is one function from an evaluation to an Arrow table."""
