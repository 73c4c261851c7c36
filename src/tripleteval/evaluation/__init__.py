"""From what a user passes to an `Evaluation`: refuse or repair, compare, measure, summarise."""
