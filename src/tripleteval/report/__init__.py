"""What there is to say about an evaluation (`sections`), and who draws it (`console`, `html`)."""
