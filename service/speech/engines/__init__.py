"""The engines that Stayline brings: each is an optional package, behind a promise of this house."""
