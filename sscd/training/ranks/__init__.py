"""The processes of a training: how they were started, and what they tell one another."""
