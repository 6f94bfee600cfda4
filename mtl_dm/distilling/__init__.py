"""Several frozen encoders -> one small student: the two steps of Vielzeuf et al. 2019."""
