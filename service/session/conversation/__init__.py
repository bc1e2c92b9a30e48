"""Who has the floor, what was understood, what is thought of it, and who answers."""
