"""Parts of experiments/table1.py: what is counted on which database, and beside what it stands."""
