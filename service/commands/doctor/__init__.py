"""What `stayline doctor` looks at."""
