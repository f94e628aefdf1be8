"""Everything that executes: worker processes, generation, rehearsal, environments."""
